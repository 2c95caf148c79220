// Paper (ui.md §5.4): what only a screen can use is not printed, links show where they lead, and no secret is printed.
import { expect, test } from './fixtures.js';
import { fillRegister, register } from './pages.js';

/** What stands after a link on paper. */
const after = (link) => link.evaluate((element) => getComputedStyle(element, '::after').content);
const paper = { format: 'A4' };

/** Nobody can press, tick or unfold paper, and nothing stands out of it. */
async function isPaper(page) {
  await expect(page.locator('.top, .side, .tabs, .crumbs, .page-actions, [popover]').filter({ visible: true })).toHaveCount(0);
  await expect(page.locator('button, input[type=checkbox], select').filter({ visible: true })).toHaveCount(0);
  const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
  expect(scrollWidth).toBe(clientWidth);
  expect((await page.pdf(paper)).subarray(0, 5).toString()).toBe('%PDF-');
}

test('the list is printed with whole client IDs and addresses', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps?q=worker&cols=contact');
  await page.getByRole('checkbox', { name: /^Select Worker/ }).first().check();
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.setViewportSize({ width: 700, height: 1000 });
  await isPaper(page);
  const first = page.locator('#results tbody tr').first();
  const link = first.getByRole('rowheader').getByRole('link');
  expect(await after(link)).toContain(await link.getAttribute('href'));
  expect(await after(page.getByRole('columnheader', { name: 'Name' }).getByRole('link'))).toBe('none');
  const middle = first.locator('code i');
  expect(await middle.evaluate((element) => parseFloat(getComputedStyle(element).fontSize))).toBeGreaterThan(8);
  await expect(page.locator('.filters')).toContainText('worker'); // of what it is a list
  await expect(page.locator('.pager-range')).toBeVisible();
  await expect(page.getByText('Save this view')).toBeHidden();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('light');
});

test('the page of an app is printed without its buttons, the mail to its contact in full', async ({ open }) => {
  const page = await open('admin');
  const app = await register(page, { name: 'Printed' });
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 700, height: 1000 });
  await page.goto(`/apps/${app.id}`);
  await isPaper(page);
  await expect(page.getByLabel('Client ID', { exact: true })).toHaveValue(app.clientID);
  const scope = page.locator('.scopes a').first();
  expect(await after(scope)).toContain(await scope.getAttribute('href'));
  await expect(page.locator('.danger-area').filter({ visible: true })).toHaveCount(0);
  await page.goto(`/apps/${app.id}/mail`);
  await isPaper(page);
  await expect(page.getByLabel('Text', { exact: true })).toBeVisible();
});

test('a secret is not printed, nor does it stand unseen in what is printed', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/apps/new');
  await fillRegister(page, { name: 'Not printed' });
  await page.getByRole('button', { name: 'Create app' }).click();
  const secrets = page.locator('[data-secret]');
  await expect(secrets.first()).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await expect(secrets.filter({ visible: true })).toHaveCount(0);
  await expect(page.getByLabel('Client ID', { exact: true })).toBeVisible();
});
