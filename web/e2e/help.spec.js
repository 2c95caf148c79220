// The help: an index and a page for each task, and the way to it from where the task is done (ui.md §4.13).
import { expect, test } from './fixtures.js';
import { inspect } from './axe.js';
import { register } from './pages.js';

test('every entry of the index has a page that opens with the right it takes @plain', async ({ open }) => {
  for (const who of [undefined, 'guest']) {
    const page = await open(who);
    await page.goto('/help');
    const entries = await page.locator('main li a').evaluateAll((links) => links.map((a) => [a.textContent, a.pathname]));
    expect(entries.length).toBeGreaterThanOrEqual(17);
    for (const [title, path] of entries) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
      await expect(page.locator('article > :first-child')).toContainText(/\bneed/);
    }
  }
});

test('the help link of a page leads to the task of the page, what was one long page to its entry @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const app = await register(page, { name: unique('Helped') });
  const help = page.getByRole('banner').getByRole('link', { name: 'Help' });
  for (const [path, title] of [
    ['/', 'Help'], [`/apps/${app.id}`, 'Help'], ['/apps', 'Search and filter'], ['/apps/new', 'Register an app'],
    [`/apps/${app.id}/secrets/new`, 'Rotate a secret'], [`/apps/${app.id}/test`, 'Find out why a call fails'],
    ['/apps/views', 'Saved views'], ['/apps/contacts', 'Who is told what by mail'],
  ]) {
    await page.goto(path);
    await help.click();
    await expect(page.getByRole('heading', { level: 1 }), path).toHaveText(title);
  }
  await page.goto('/help#rotate');
  await expect(page.locator('li:target').getByRole('link')).toHaveText('Rotate a secret');
  expect((await page.goto('/help/nothing')).status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing is here');
});

test('who may not do a task reads in its help which right it takes, and asks for it @plain', async ({ open }) => {
  const page = await open('viewer');
  expect((await page.goto('/apps/new')).status()).toBe(403);
  await expect(page.getByRole('link', { name: 'Mail a request to Ana Silva' })).toHaveAttribute('href', /^mailto:admin@acme\.example\?/);
  await page.getByRole('link', { name: 'How this works' }).click();
  await expect(page).toHaveURL('/help/register');
  await expect(page.locator('article')).toContainText('Integration toolkit > API consumer apps > Manage API client app');
});

test('a new secret is tested in another tab, while its page stays @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const { id } = await register(page, { name: unique('Tested beside') });
  await page.goto(`/apps/${id}/secrets/new`);
  await page.getByRole('button', { name: 'Create new secret' }).click();
  const field = page.getByLabel('Client secret', { exact: true });
  await expect(field).toHaveValue(/^ccws_/);
  await expect(page.getByRole('listitem').filter({ hasText: /^The old secret …\w{4} ends on / })).toBeVisible();
  const [tab] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'Test it (opens in a new tab).' }).click()]);
  await expect(tab).toHaveURL(`/apps/${id}/test`);
  await tab.close();
  await expect(field).toHaveValue(/^ccws_/);
});

test('axe: help, lists of what needs attention', async ({ open }) => {
  test.setTimeout(90_000);
  for (const [who, path] of [
    ['admin', '/help'], [undefined, '/help/token'], ['admin', '/help/search'], ['admin', '/help/keyboard'], ['admin', '/help/nothing'],
    ['admin', '/apps/rejected'], ['viewer', '/apps/contacts'], ['admin', '/apps/unused'], ['admin', '/apps/views'],
  ]) {
    const page = await open(who);
    await page.goto(path);
    await inspect(page, `${who} ${path}`);
    await page.context().close();
  }
});
