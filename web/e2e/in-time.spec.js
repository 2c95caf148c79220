// Secrets in time, with and without scripts: a rotation taken back, its end put off, and a secret handed over by a link.
import { expect, test } from './fixtures.js';
import { token } from './clients.js';
import { confirm, readReveal, register } from './pages.js';

test.describe.configure({ mode: 'serial' });

let app;

test('a secret that was retired too early is restored, and its end put off @plain', async ({ open, unique }) => {
  const page = await open('admin');
  app = await register(page, { name: unique('In time') });
  await page.goto(`/apps/${app.id}/secrets/new`);
  await page.getByRole('radio', { name: 'Now', exact: true }).check();
  await page.getByRole('button', { name: 'Create new secret' }).click();
  app.next = await readReveal(page);
  await page.goto(`/apps/${app.id}`);
  await expect(page.getByText('Can be restored until')).toBeVisible();
  await confirm(page, page.getByRole('link', { name: /^Restore/ }), /^Restore/);
  await expect(page.getByText('works again.')).toBeVisible();
  for (const secret of [app.secret, app.next.secret]) await token({ ...app, secret });

  await page.getByRole('link', { name: /^Extend/ }).first().click();
  await page.getByRole('radio', { name: 'In 30 days' }).check();
  await page.getByRole('button', { name: 'Put off the end' }).click();
  await expect(page.getByText('is put off.')).toBeVisible();
});

test('a stranger with the link makes the secret by the button, once @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const given = await register(page, { name: unique('Handed over') });
  await page.goto(`/apps/${given.id}`);
  await page.getByRole('link', { name: 'Hand over by a link' }).click();
  await page.getByLabel('Whom the link is for').fill('Kim at SAP');
  await page.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByLabel('Link', { exact: true }).inputValue();
  await page.goto(`/apps/${given.id}`);
  await expect(page.getByText('For Kim at SAP, made by')).toBeVisible();

  const stranger = await open();
  await stranger.goto(link);
  await expect(stranger.getByRole('heading', { level: 1 })).toContainText('Get a secret of');
  await stranger.getByRole('button', { name: 'Make the secret and show it' }).click();
  const made = await stranger.getByLabel('Client secret', { exact: true }).inputValue();
  for (const secret of [given.secret, made]) await token({ ...given, secret });
  await stranger.getByRole('checkbox', { name: 'I have stored the secret' }).check();
  await stranger.getByRole('button', { name: 'Close' }).click();
  await expect(stranger.getByText('You can close this window.')).toBeVisible();
  await stranger.goto(link);
  await expect(stranger.getByText('This link has been used')).toBeVisible();

  await page.reload();
  await expect(page.getByText(/^Used on/)).toBeVisible();
});

test('nobody is told of unused apps while there are none, and the page says so @plain', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/apps/unused');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Unused apps');
});
