// Item 6 of issue 2: each change stands in the app's history with who, what, before, after, when and from where.
import { expect, test } from './fixtures.js';
import { confirm, expectNoSecret, fillApp, register, rotate } from './pages.js';

test('history tells who changed what, from what, to what, when and from where @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const began = Date.now() - 1000;
  const app = await register(page, { name: unique('With a past') });
  await page.goto(`/apps/${app.id}/edit`);
  await fillApp(page, { description: 'Another sentence about it.', scopes: ['core.supplier.read'], category: /^Partner/ });
  await page.getByRole('button', { name: 'Save changes' }).click();
  const second = await rotate(page, app.id, { end: 'In 1 hour' });
  const row = page.getByRole('row').filter({ hasText: `…${app.secret.slice(-4)}` });
  await confirm(page, row.getByRole('link', { name: /^Retire/ }), /^Retire/);
  await expect(row.getByRole('link', { name: /^Retire/ })).toHaveCount(0);
  await confirm(page, page.getByRole('link', { name: 'Deactivate', exact: true }), `Deactivate ${app.name}`);
  await expect(page.getByRole('link', { name: 'Delete', exact: true })).toBeVisible();

  await page.getByRole('link', { name: 'History' }).click();
  const sentences = [
    `Ana Silva deactivated ${app.name}`, `Ana Silva retired the secret …${app.secret.slice(-4)} of ${app.name}`,
    `Ana Silva made the new secret …${second.slice(-4)} for ${app.name}`, `Ana Silva changed ${app.name}`,
    `Ana Silva registered ${app.name}`,
  ];
  const events = page.getByRole('main').locator('ol.events > li');
  await expect(events).toHaveCount(sentences.length); // newest first
  for (const [i, sentence] of sentences.entries()) {
    const event = events.nth(i);
    await expect(event).toContainText(sentence);
    await expect(event).toContainText('from 127.0.0.1');
    await expect(event).toContainText(/Request [0-9a-f-]{36}/);
    const at = Date.parse(await event.locator('time').first().getAttribute('datetime'));
    expect(at).toBeGreaterThanOrEqual(began);
    expect(at).toBeLessThanOrEqual(Date.now() + 1000);
  }
  const edited = events.nth(3);
  await edited.getByText(/values? changed/).click();
  const change = (field) => edited.getByRole('row').filter({ has: page.getByRole('rowheader', { name: field, exact: true }) }).getByRole('cell');
  await expect(change('Description')).toHaveText(['Moves figures from one system to another every night.', 'Another sentence about it.']);
  await expect(change('Category')).toHaveText(['Customer', 'Partner']);
  await expect(change('Scopes')).toHaveText(['core.invoice.read', 'core.invoice.read, core.supplier.read']);
  await expectNoSecret(page);
});

test('a refused change of one\'s own stands there too @plain', async ({ open, unique }) => {
  const admin = await open('admin');
  const app = await register(admin, { name: unique('With a guard') });
  const viewer = await open('viewer');
  expect((await viewer.goto(`/apps/${app.id}/edit`)).status()).toBe(403);
  await admin.goto(`/apps/${app.id}/history`);
  const event = admin.locator('ol.events > li').first();
  await expect(event).toContainText(`Jo Weber tried to change ${app.name}`);
  await expect(event).toContainText('Refused');
});
