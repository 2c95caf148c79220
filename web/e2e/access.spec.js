// Accessibility: axe finds nothing on any page, in light and dark, at three widths; and the keyboard is enough.
import { inspect } from './axe.js';
import { expect, test } from './fixtures.js';
import { appID, fillRegister, readReveal, registerServer } from './pages.js';

let app;

test.describe.configure({ mode: 'serial' });

test('axe: register, its errors, and the secret', async ({ open }) => {
  test.setTimeout(60_000);
  const page = await open('admin');
  await page.goto('/apps/new');
  await inspect(page, 'register');
  await page.getByRole('button', { name: 'Create app' }).click();
  await expect(page).toHaveTitle(/^Error/);
  await inspect(page, 'register with errors');
  await fillRegister(page, { name: 'Seen by axe', second: { first: 'Jo', last: 'Weber', email: 'jo@acme.example' } });
  await page.getByRole('button', { name: 'Create app' }).click();
  app = await readReveal(page);
  app.id = appID(page);
  await inspect(page, 'reveal');
});

test('axe: pages of an app', async ({ open }) => {
  test.setTimeout(60_000);
  const page = await open('admin');
  await page.goto(`/apps/${app.id}/secrets/new`);
  await inspect(page, 'rotate');
  await page.getByRole('radio', { name: 'The secret has leaked' }).check();
  await inspect(page, 'rotate, leaked');
  await page.getByRole('radio', { name: 'Planned change' }).check();
  await page.getByRole('button', { name: 'Create new secret' }).click();
  await readReveal(page);
  await page.goto(`/apps/${app.id}/secrets/new`);
  await inspect(page, 'rotate with two secrets');
  for (const below of ['', '/edit', '/history', '/deactivate', '/delete']) {
    await page.goto(`/apps/${app.id}${below}`);
    await inspect(page, below || 'detail');
  }
  await page.goto(`/apps/${app.id}`);
  await page.getByRole('link', { name: 'Deactivate', exact: true }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await inspect(page, 'dialog');
});

test('axe: an API that checks tokens', async ({ open }) => {
  test.setTimeout(60_000);
  const page = await open('root');
  await page.goto('/apps/new');
  await inspect(page, 'register, an API');
  await page.getByRole('radio', { name: 'An app that calls APIs' }).check();
  await inspect(page, 'register, an app of the platform');
  const id = await registerServer(page, { name: 'API seen by axe', api: 'Coupa Core API' });
  await inspect(page, 'reveal of an API');
  for (const path of ['/apps', `/apps/${id}`, `/apps/${id}/edit`, `/apps/${id}/secrets/new`, `/apps/${id}/history`, `/apps/${id}/deactivate`]) {
    await page.goto(path);
    await inspect(page, path);
  }
});

test('axe: lists, home, sign-in, help and refusals', async ({ open }) => {
  test.setTimeout(90_000);
  for (const [who, path] of [
    ['admin', '/'], ['admin', '/apps'], ['initech', '/apps'], ['admin', '/apps?q=nothing+of+this&status=inactive'], ['admin', '/apps?hint=secret'],
    ['admin', '/help'], ['admin', '/no/such/page'], ['viewer', `/apps/${app.id}`], ['viewer', '/apps/new'], ['guest', '/'], [undefined, '/signin'],
    ['support', '/'], ['support', '/lookup'], ['root', '/'],
    [undefined, '/help'], ['admin', '/help/search'], [undefined, '/help/token'], ['admin', '/help/keyboard'],
  ]) {
    const page = await open(who);
    await page.goto(path);
    await inspect(page, `${who} ${path}`);
    await page.context().close();
  }
});

test('axe: open menus', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/apps');
  await page.getByRole('button', { name: /^Actions for/ }).first().click();
  await inspect(page, 'row menu');
  await page.reload();
  await page.getByRole('button', { name: /^Account of/ }).click();
  await inspect(page, 'account menu');
});

test('the keyboard alone registers an app, copies its secret and closes the page', async ({ open }) => {
  const page = await open('admin');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const type = (text) => page.keyboard.type(text);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  /** Walks with Tab until the element that has the focus answers to the description. */
  const tabTo = async (matches) => {
    for (let i = 0; i < 400; i += 1) {
      await press('Tab');
      const focus = await page.evaluate(() => {
        const { activeElement: element } = document;
        const style = getComputedStyle(element);
        return {
          id: element.id, name: element.getAttribute('name'), value: element.value, type: element.type,
          text: element.textContent.trim(), label: element.getAttribute('aria-label'), visible: style.outlineStyle !== 'none',
        };
      });
      if (matches(focus)) {
        expect(focus.visible || /^(radio|checkbox)$/.test(focus.type ?? ''), `focus is seen on ${focus.text || focus.name}`).toBe(true);
        return;
      }
    }
    throw new Error('Tab never came there');
  };
  await page.goto('/');
  await press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await press('g', 'a');
  await expect(page).toHaveURL('/apps');
  await press('n');
  await expect(page).toHaveURL('/apps/new');
  await tabTo(({ id }) => id === 'f-name');
  await type('By keyboard alone');
  await tabTo(({ id }) => id === 'f-description');
  await type('Typed without a mouse.');
  await tabTo(({ name }) => name === 'category');
  await press('Space');
  await tabTo(({ id }) => id === 'f-api_user');
  await press('ArrowDown');
  await tabTo(({ id }) => id === 'f-scope_q');
  await type('core.invoice.read');
  await tabTo(({ name, value }) => name === 'scope' && value === 'core.invoice.read');
  await press('Space');
  await tabTo(({ text }) => text === 'Create app');
  await press('Enter');
  const made = await readReveal(page);
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await tabTo(({ label }) => label === 'Copy client secret');
  await press('Enter');
  await expect(page.locator('#status')).toHaveText('Client secret copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(made.secret);
  await tabTo(({ type: kind }) => kind === 'checkbox');
  await press('Space');
  await tabTo(({ text }) => text === 'Close');
  await press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('By keyboard alone');
});

test('a dialog takes the focus, Escape gives it back', async ({ open }) => {
  const page = await open('admin');
  await page.goto(`/apps/${app.id}`);
  const link = page.getByRole('link', { name: 'Deactivate', exact: true });
  await link.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await expect(page.getByRole('dialog').getByRole('heading')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(link).toBeFocused();
  await expect(page.locator('.page-title')).toContainText('Active'); // nothing happened
});

test('rows and shortcuts: j, k, / and ?', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps');
  const names = page.locator('#results tbody th a');
  await page.keyboard.press('j');
  await expect(names.nth(0)).toBeFocused();
  await page.keyboard.press('j');
  await expect(names.nth(1)).toBeFocused();
  await page.keyboard.press('k');
  await expect(names.nth(0)).toBeFocused();
  await page.keyboard.press('/');
  await expect(page.getByLabel('Search apps')).toBeFocused();
  await page.keyboard.type('n'); // letters are letters inside a field
  await expect(page).toHaveURL(/\/apps(\?|$)/);
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('?');
  await expect(page).toHaveURL('/help/keyboard');
});
