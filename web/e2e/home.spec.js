// The home page: what it finds, what it counts, and for whom (ui.md §4.12).
import { expect, test, traffic } from './fixtures.js';
import { register, rotate } from './pages.js';

test('the Find box opens an app by its client ID and searches for anything else @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const app = await register(page, { name: unique('Found from home') });
  const find = async (text) => {
    await page.goto('/');
    await page.getByLabel('Find an app').fill(text);
    await page.getByRole('button', { name: 'Search' }).click();
  };
  await find(app.clientID);
  await expect(page).toHaveURL(`/apps/${app.id}`);
  await find(app.name);
  await expect(page).toHaveURL(/\/apps\?q=Found/);
  await expect(page.getByRole('row').filter({ hasText: app.name })).not.toHaveCount(0);
  await page.goto('/');
  const recent = page.getByRole('region', { name: 'Recent changes' }).getByRole('listitem');
  await expect(recent.first()).toContainText(`Ana Silva registered ${app.name}`);
  expect(await recent.count()).toBeLessThanOrEqual(8);
  await recent.first().getByRole('link').click();
  await expect(page).toHaveURL(`/apps/${app.id}/history`);
});

test('what needs attention leads to the apps that were counted @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const app = await register(page, { name: unique('In rotation') });
  await rotate(page, app.id);
  await page.goto('/');
  const attention = page.getByRole('region', { name: 'Needs attention' });
  const lines = await attention.getByRole('link').all();
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(7);
  const line = attention.getByRole('link', { name: /in the middle of a rotation/ });
  const [n] = /^\d+/.exec(await line.textContent());
  await line.click();
  await expect(page.getByRole('row').filter({ hasText: app.clientID })).toHaveCount(1);
  await expect(page.locator('#results tbody tr')).toHaveCount(Number(n));
});

test('who may only view gets no way to create, support the box over all organisations @plain', async ({ open }) => {
  const viewer = await open('viewer');
  await viewer.goto('/');
  await expect(viewer.getByLabel('Find an app')).toBeVisible();
  await expect(viewer.getByRole('link', { name: 'Create app' })).toHaveCount(0);
  const support = await open('support');
  await support.goto('/');
  await expect(support.getByLabel('Find an app')).toHaveCount(0);
  await support.getByLabel('Client ID, name or e-mail').fill('zeppelin');
  await support.getByRole('button', { name: 'Look up' }).click();
  await expect(support.locator('#results')).toContainText('No app has a name');
});

test('a client secret in the Find box does not leave the browser', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/');
  const before = traffic().length;
  await page.getByLabel('Find an app').fill(`ccws_${'0'.repeat(62)}`);
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByLabel('Find an app')).toHaveValue('');
  await expect(page.getByText('That is a client secret. It was not sent.').first()).toBeVisible();
  expect(traffic().slice(before).filter((exchange) => exchange.path === '/find')).toEqual([]);
});
