// The scope catalogue: find the scope for a call, narrow down, tick, and start or change an app with what is ticked.
import { inspect } from './axe.js';
import { expect, test } from './fixtures.js';
import { appID, closeReveal, fillApp, readReveal } from './pages.js';

const rows = (page) => page.locator('#results tr[data-row]');
const box = (page, scope) => page.locator(`#results tr[data-row] input[value="${scope}"]`).first();
const objects = (page) => page.locator('#results').getByRole('rowheader').filter({ has: page.locator('.small') });
const bar = (page) => page.getByRole('group', { name: 'Ticked scopes' });

async function search(page, plain, text) {
  await page.getByLabel('Search scopes and calls').fill(text);
  if (plain) await page.getByRole('button', { name: 'Search' }).click();
}

/** Without scripts a filter counts once it is applied. */
async function apply(page, plain) {
  if (plain) await page.getByRole('button', { name: 'Apply' }).click();
}

test('a call or its address finds the scopes that open it @plain', async ({ open, plain }) => {
  const page = await open('guest'); // open to anybody who is signed in
  await page.goto('/');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Scopes' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Scopes');
  await expect(page.getByText('198 scopes')).toBeVisible();
  await search(page, plain, 'POST /invoices');
  await expect(page).toHaveURL(/q=POST/);
  await expect(rows(page).getByRole('rowheader').getByRole('link')).toHaveText(['core.invoice.create', 'core.invoice.write']);
  await expect(page.getByText('POST /api/invoices is open to a token with any one of its scopes.')).toBeVisible();
  await search(page, plain, 'https://acme.coupahost.com/api/purchase_orders/17/cancel?reason=late#top');
  await expect(objects(page)).toHaveText([/^cancel_purchaseorders/]);
  await expect(rows(page)).toHaveCount(1);
  await page.getByText('The source prints this differently').click();
  await expect(page.locator('#results').getByText('PUT/close_purchaseorders/{id}', { exact: true })).toBeVisible();
  await expect(page.locator('#results')).toContainText('(printed here, never matched)');
  await search(page, plain, 'GET /items');
  await expect(page.getByText('No scope published.')).toBeVisible();
  await search(page, plain, 'DELETE /invoices/17');
  await expect(page.getByRole('heading', { name: 'No published call matches' })).toBeVisible();
  await page.getByRole('link', { name: 'GET /api/invoices/{id}' }).click();
  await expect(page.getByLabel('Search scopes and calls')).toHaveValue('GET /api/invoices/{id}');
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByRole('columnheader', { name: 'Used by' })).toHaveCount(0); // that takes a right
});

test('filters narrow, stand in the address, and come off one by one (UI8) @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/scopes');
  await page.getByLabel('API or object').selectOption('invoices');
  await apply(page, plain);
  await expect(rows(page)).toHaveCount(6);
  await page.getByRole('checkbox', { name: 'write', exact: true }).check();
  await page.getByRole('checkbox', { name: 'delete', exact: true }).check();
  await apply(page, plain);
  await expect(rows(page)).toHaveCount(4);
  await page.reload();
  await expect(rows(page)).toHaveCount(4);
  await expect(page.getByRole('checkbox', { name: 'delete', exact: true })).toBeChecked();
  const chips = page.getByRole('list', { name: 'Active filters' });
  await expect(chips.getByRole('link')).toHaveText([/In: invoices/, /Right: write/, /Right: delete/, 'Remove all filters']);
  await chips.getByRole('link', { name: 'Remove filter Right: write' }).click();
  await expect(rows(page).getByRole('rowheader').getByRole('link')).toHaveText(['core.invoice.delete']);
  await chips.getByRole('link', { name: 'Remove all filters' }).click();
  await page.getByRole('checkbox', { name: 'In use by your apps' }).check();
  await apply(page, plain);
  await expect(page).toHaveURL(/used=on/);
  await expect(rows(page).first().getByRole('link', { name: /\d+ apps?$/ })).toBeVisible();
  await expect(rows(page).filter({ hasText: 'no app' })).toHaveCount(0);
});

test('what is ticked in several searches starts an app @plain', async ({ open, plain, unique }) => {
  const page = await open('admin');
  await page.goto('/scopes');
  await expect(bar(page)).toBeHidden();
  await search(page, plain, 'invoices');
  await box(page, 'core.invoice.read').check();
  await expect(bar(page)).toBeVisible();
  await search(page, plain, 'candidates');
  await expect(rows(page)).toHaveCount(1);
  await box(page, 'ccw.candidates').check();
  if (plain) await page.getByRole('button', { name: 'List what is ticked' }).click();
  await expect(page.getByLabel('Ticked scopes, with spaces between')).toHaveValue(/^(core\.invoice\.read ccw\.candidates|ccw\.candidates core\.invoice\.read)$/);
  await page.reload();
  await expect(box(page, 'ccw.candidates')).toBeChecked();
  await page.getByRole('button', { name: 'Start an app with these' }).click();
  await expect(page).toHaveURL(/\/apps\/new\?scope=[a-z.]+&scope=[a-z.]+$/);
  await expect(page.locator('input[name="scope"]:checked')).toHaveCount(2);
  await fillApp(page, { name: unique('From the catalogue'), description: 'Started from the scope catalogue.', category: 'Customer', user: /client user/ });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  await closeReveal(page);
  await page.getByRole('link', { name: 'core.invoice.read' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('core.invoice.read');
  await expect(page.getByRole('region', { name: 'Apps that hold it' }).getByRole('link', { name: unique('From the catalogue'), exact: true })).toBeVisible();
});

test('a scope is added to an app that exists @plain', async ({ open, plain, unique }) => {
  const page = await open('admin');
  await page.goto('/apps/new?scope=core.user.read');
  await fillApp(page, { name: unique('Grows'), description: 'Begins with one scope only.', category: 'Customer', user: /client user/ });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  await closeReveal(page);
  const id = appID(page);
  await page.goto('/scopes/core.user.write');
  await expect(page.getByText('Most apps that write read as well: core.user.read.')).toBeVisible();
  await page.getByRole('link', { name: 'Add to an app' }).click();
  await page.getByLabel('Search apps').fill(unique('Grows'));
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: unique('Grows'), exact: true }).click();
  await expect(page).toHaveURL(`/apps/${id}/edit?scope=core.user.write`);
  await expect(page.getByText('Ticked for you, and the app\'s once you save: core.user.write.')).toBeVisible();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('link', { name: 'core.user.write' })).toBeVisible();
  await page.getByRole('link', { name: 'core.user.write' }).click();
  await expect(page.getByRole('region', { name: 'Apps that hold it' })).toContainText(unique('Grows'));
});

test('pages turn with what is ticked @plain', async ({ open, plain }) => {
  const page = await open('viewer');
  await page.goto('/scopes');
  await box(page, 'core.accounting.read').check();
  const all = new Set();
  for (let n = 1; ; n += 1) {
    await expect(page.getByText(new RegExp(`Page ${n} of \\d+`))).toBeVisible();
    for (const name of await rows(page).locator('th code').allTextContents()) all.add(name);
    const next = page.getByRole('button', { name: 'Next' });
    if (await next.count() === 0) break;
    await next.click();
  }
  expect(all.size).toBe(198);
  await bar(page).getByText('1 ticked elsewhere').click();
  await expect(bar(page).getByRole('checkbox', { name: 'core.accounting.read' })).toBeChecked();
  await page.getByRole('button', { name: 'Previous' }).click();
  await expect(page.getByRole('button', { name: 'Next' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Start an app with these' })).toHaveCount(0); // who may only view
  await expect(bar(page)).toBeVisible();
});

test('a name that no scope has leads to one that was meant @plain', async ({ open }) => {
  const page = await open('guest');
  const answer = await page.goto('/scopes/ccw.candidate');
  expect(answer.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('No such scope');
  await page.getByRole('link', { name: 'ccw.candidates' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('ccw.candidates');
  await expect(page.getByText('Printed elsewhere as ccw.candidate, which is not accepted.')).toBeVisible();
  await page.goto('/scopes/openid');
  await expect(page.getByText('Nobody gives it to an app')).toBeVisible();
});

test('live search keeps focus and ticks, and the address is the state', async ({ open }) => {
  const page = await open('admin');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/scopes');
  const input = page.getByLabel('Search scopes and calls');
  await input.pressSequentially('core.purchase_order.write');
  await expect(rows(page)).toHaveCount(4);
  await expect(input).toBeFocused();
  await expect(page.locator('#status')).toHaveText('1 scope');
  await box(page, 'core.purchase_order.write').check();
  await expect(rows(page).getByRole('checkbox', { checked: true })).toHaveCount(4); // one scope, four objects
  await expect(bar(page)).toContainText('1 ticked');
  await expect(page.locator('#status')).toHaveText('1 ticked');
  await expect(page).toHaveURL(/scope=core\.purchase_order\.write$/);
  await rows(page).getByRole('checkbox').nth(2).uncheck();
  await expect(bar(page)).toBeHidden();
  await rows(page).getByRole('checkbox').nth(3).check();
  await input.fill('core.user.read');
  await expect(rows(page)).toHaveCount(1);
  await bar(page).getByText('1 ticked elsewhere').click();
  await expect(bar(page).getByRole('checkbox', { name: 'core.purchase_order.write' })).toBeChecked();
  await rows(page).getByRole('checkbox').check();
  await expect(bar(page)).toContainText('2 ticked');
  await bar(page).getByRole('button', { name: 'Copy the ticked scopes' }).click();
  await expect(page.locator('#status')).toHaveText('Ticked scopes, with spaces between copied');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.split(' ').toSorted()).toEqual(['core.purchase_order.write', 'core.user.read']);
  await page.getByRole('button', { name: 'Copy core.user.read' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('core.user.read');
  await page.getByRole('link', { name: 'Remove all filters' }).click(); // a link takes ticks along that were made since
  await expect(bar(page)).toContainText('2 ticked');
  await page.getByRole('link', { name: 'core.accounting.read' }).click();
  await page.goBack();
  await expect(bar(page)).toContainText('2 ticked');
});

test('a secret pasted into the search is not sent @plain', async ({ open, plain }) => {
  const page = await open('guest');
  await page.goto('/scopes');
  const fake = `ccws_${'A'.repeat(62)}`; // has the form and nothing else
  await search(page, plain, fake);
  if (plain) {
    await expect(page).toHaveURL('/scopes?hint=secret');
    await expect(page.getByRole('alert')).toContainText('It was not searched for and is not kept anywhere.');
  } else {
    await expect(page.getByText('That is a client secret. It was not sent.').first()).toBeAttached();
    await expect(page.getByLabel('Search scopes and calls')).toHaveValue('');
  }
});

test('a pasted curl command is read as its call, and nothing else of it leaves or stays @plain', async ({ open, plain }) => {
  const page = await open('guest');
  const asked = [];
  page.on('request', (request) => asked.push(request.url() + (request.postData() ?? '')));
  const input = page.getByLabel('Search scopes and calls');
  for (const [command, call, count] of [
    ["curl -X POST 'https://acme.coupahost.com/api/invoices?t=HUSH' \\\n  -H 'Authorization: Bearer HUSH' \\\n  -d '{\"a\":\"HUSH\"}'", 'POST /api/invoices', 2],
    ["curl --location 'https://u:HUSH@acme.coupahost.com/api/invoices' --header \"Authorization: Bearer HUSH\" --data-raw $'it\\'s HUSH'", 'POST /api/invoices', 2],
    ['curl -sSH "Referer: https://HUSH/HUSH" -u a:HUSH acme.coupahost.com/api/invoices/1', 'GET /api/invoices/1', 1],
  ]) {
    await page.goto('/scopes');
    asked.length = 0;
    await input.focus();
    await page.evaluate((text) => {
      const field = document.activeElement;
      field.value = text;
      field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste' }));
    }, command);
    if (plain) await page.getByRole('button', { name: 'Search' }).click();
    await expect(page.getByRole('link', { name: `Remove filter ${call}` })).toBeVisible();
    await expect(input).toHaveValue(call);
    await expect(rows(page)).toHaveCount(count);
    expect(page.url()).not.toContain('HUSH');
    expect(await page.content()).not.toContain('HUSH');
    if (!plain) expect(asked.join()).not.toContain('HUSH');
  }
});

test('a scope of several rows is ticked in all, and off in all @plain', async ({ open, plain }) => {
  const page = await open('admin');
  const boxes = page.locator('#results tr[data-row] input[type=checkbox][value="core.purchase_order.write"]');
  const list = async () => { if (plain) await page.getByRole('button', { name: 'List what is ticked' }).click(); };
  await page.goto('/scopes?q=core.purchase_order.write');
  await boxes.nth(2).check();
  await list();
  for (let i = 0; i < 4; i += 1) await expect(boxes.nth(i)).toBeChecked();
  await list();
  await expect(page.getByLabel('Ticked scopes, with spaces between')).toHaveValue('core.purchase_order.write');
  await page.reload();
  for (let i = 0; i < 4; i += 1) await expect(boxes.nth(i)).toBeChecked();
  await boxes.nth(1).uncheck();
  await list();
  for (let i = 0; i < 4; i += 1) await expect(boxes.nth(i)).not.toBeChecked();
  await boxes.nth(3).check();
  await list();
  await page.getByRole('button', { name: 'Start an app with these' }).click();
  await expect(page).toHaveURL('/apps/new?scope=core.purchase_order.write');
});

test('a link leads from a ticked row to what is ticked, and back', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/scopes');
  const skips = page.getByRole('link', { name: 'Skip to the ticked scopes' });
  await expect(skips).toHaveCount(0); // nothing is ticked
  await box(page, 'core.accounting.read').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await expect(skips.nth(1)).toBeFocused();
  await expect(skips.nth(1)).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(bar(page)).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Start an app with these' })).toBeFocused();
  const back = bar(page).getByRole('link', { name: 'Back to the list of scopes' });
  await back.focus();
  await page.keyboard.press('Enter');
  await expect(skips.first()).toBeFocused();
  await page.goto('/apps/new?scope=core.accounting.read');
  await page.getByRole('button', { name: 'Find', exact: true }).focus();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip the list of scopes' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'Back to the list of scopes' })).toBeFocused();
});

test('the keyboard alone finds a scope and starts an app', async ({ open }) => {
  const page = await open('admin');
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const tabTo = async (matches) => {
    for (let i = 0; i < 60; i += 1) {
      await press('Tab');
      const focus = await page.evaluate(() => {
        const { activeElement: element } = document;
        return { name: element.name, value: element.value, text: element.textContent.trim(), visible: getComputedStyle(element).outlineStyle !== 'none' };
      });
      if (matches(focus)) return;
    }
    throw new Error('Tab never came there');
  };
  await page.goto('/');
  await press('g', 's');
  await expect(page).toHaveURL('/scopes');
  await press('/');
  await page.keyboard.type('PATCH /invoices/1');
  await expect(rows(page)).toHaveCount(1);
  await tabTo(({ name, value }) => name === 'scope' && value === 'core.invoice.write');
  await press('Space');
  await tabTo(({ text }) => text === 'Start an app with these');
  await press('Enter');
  await expect(page).toHaveURL('/apps/new?scope=core.invoice.write');
  await expect(page.locator('input[name="scope"]:checked')).toHaveValue('core.invoice.write');
  await page.goto('/scopes?q=invoices');
  await press('j');
  await expect(rows(page).first().getByRole('rowheader').getByRole('link')).toBeFocused();
});

test('the bar leaves what has the focus in sight, and a search sent whole has nothing empty', async ({ open }) => {
  const page = await open('admin');
  const kept = ['core.user.read', 'core.user.write', 'core.invoice.read', 'ccw.candidates'].map((name) => `&scope=${name}`).join('');
  for (const [width, height] of [[390, 844], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    await page.goto(`/scopes?q=purchase${kept}`);
    const { height: tall } = await bar(page).boundingBox();
    expect(tall).toBeLessThanOrEqual(64);
    await page.getByLabel('Search scopes and calls').focus();
    for (let i = 0; i < 40; i += 1) {
      await page.keyboard.press('Tab');
      const covered = await page.evaluate(() => {
        const { activeElement: element } = document;
        if (element.closest('.scopes-bar') || !element.closest('#results')) return '';
        const box = element.getBoundingClientRect();
        const top = document.querySelector('.scopes-bar').getBoundingClientRect().top;
        return box.top < top ? '' : element.outerHTML;
      });
      expect(covered).toBe('');
    }
  }
  await page.getByLabel('Search scopes and calls').press('Enter');
  await expect(page).toHaveURL(/\/scopes\?q=purchase(&scope=[a-z._]+){4}$/);
});

test('axe: scopes', async ({ open }) => {
  test.setTimeout(120_000);
  for (const [who, path] of [
    ['admin', '/scopes'], ['admin', '/scopes?q=invoice&scope=core.invoice.read&scope=ccw.candidates&kind=read'], ['guest', '/scopes?q=POST+/invoices'],
    ['guest', '/scopes?q=POST+/invoice'], ['guest', '/scopes?q=xyzzy'],
    ['admin', '/scopes/core.purchase_order.write'], ['guest', '/scopes/PM.OAuthApp'], ['guest', '/scopes/ccw.candidate'],
    ['admin', '/scopes/add?scope=core.invoice.read&scope=openid'],
  ]) {
    const page = await open(who);
    await page.goto(path);
    for (const one of await page.locator('details:not(.drawer) > summary').all()) if (await one.isVisible()) await one.click();
    await inspect(page, `${who} ${path}`);
    await page.context().close();
  }
});
