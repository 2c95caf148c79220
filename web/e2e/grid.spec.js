// The grid: search, filters, order, pages, and what it says when there is nothing to show. In Initech, which first.js
// filled with sixty apps without secrets.
import { expect, test, traffic } from './fixtures.js';

const rows = (page) => page.locator('#results tbody tr');
const names = async (page) => (await rows(page).getByRole('rowheader').getByRole('link').allTextContents()).map((name) => name.trim());

async function search(page, plain, text) {
  await page.getByLabel('Search apps').fill(text);
  if (plain) await page.getByRole('button', { name: 'Search' }).click();
}

test('words of name, client ID and creator are found by their beginning @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps');
  await search(page, plain, 'worker');
  await expect(rows(page)).toHaveCount(10);
  await expect(page).toHaveURL(/q=worker/);
  await search(page, plain, 'SYNC work 08'); // any order, any case
  await expect(rows(page)).toHaveCount(1);
  const id = (await rows(page).getByRole('rowheader').locator('code').textContent()).trim();
  await search(page, plain, 'orker'); // not the middle of a word
  await expect(page.getByRole('heading', { name: 'No app matches' })).toBeVisible();
  await search(page, plain, id);
  await expect(rows(page)).toHaveCount(1);
  await search(page, plain, id.slice(0, -1) + (id.endsWith('a') ? 'b' : 'a'));
  await expect(page.getByText('No app in this organisation has this client ID.')).toBeVisible();
  await page.getByRole('link', { name: 'Remove all filters' }).first().click();
  await expect(rows(page)).toHaveCount(50);
});

test('filters narrow, stand as chips, and come off one by one (UI8) @plain', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps?sort=created');
  const chips = page.getByRole('list', { name: 'Active filters' });
  const filter = async (fill) => {
    await page.getByText('Filters', { exact: true }).click();
    await fill(page.getByRole('form', { name: 'Filters' }));
    await page.getByRole('button', { name: 'Apply filters' }).click();
  };
  await filter((form) => form.getByLabel('Category').selectOption('Partner'));
  await expect(page).toHaveURL('/apps?q=category%3Apartner&sort=created');
  await expect(rows(page)).toHaveCount(15);
  await filter((form) => form.getByLabel('Status').selectOption('Inactive'));
  await expect(page).toHaveURL('/apps?q=category%3Apartner+status%3Ainactive&sort=created');
  await expect(rows(page)).toHaveCount(3);
  await page.goto('/apps?q=expense+order+category:partner+-status:active');
  await expect(page.getByRole('heading', { name: 'No app matches expense order category:partner -status:active.' })).toBeVisible();
  await expect(chips.getByRole('link')).toHaveText([/expense/, /order/, /category:partner/, /-status:active/, 'Remove all filters']);
  await chips.getByRole('link', { name: 'Remove filter expense' }).click();
  await chips.getByRole('link', { name: 'Remove filter -status:active' }).click();
  await expect(page).toHaveURL('/apps?q=order+category%3Apartner');
  const found = await names(page);
  expect(found.length).toBeGreaterThan(0);
  for (const name of found) expect(name).toMatch(/^Order mirror/);
  await page.reload();
  expect(await names(page)).toEqual(found); // the address is the state
  await page.getByText('Filters', { exact: true }).click();
  await expect(page.getByRole('form', { name: 'Filters' }).getByLabel('Category')).toHaveValue('partner');
  await page.getByRole('navigation', { name: 'Which apps' }).getByRole('link', { name: 'Needs attention' }).click();
  await expect(page).toHaveURL('/apps?q=status%3Aactive+secret%3Aexpiring%2Cexpired%2Cnone');
  await expect(page.getByRole('link', { name: 'Needs attention' })).toHaveAttribute('aria-current', 'page');
});

test('the search box reads filters, says what they take, and what is none @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps');
  await search(page, plain, 'name:"worker sync" -status:inactive used:never');
  await expect(page.locator('.filters .filter')).toHaveCount(3);
  for (const name of await names(page)) expect(name).toMatch(/^Worker sync/);
  await search(page, plain, 'status:gone');
  if (!plain) { // while one types, the rows stay
    await expect(page.locator('.search-note')).toHaveText('“status:” takes active or inactive, not “gone”.');
    await expect(page.locator('.filters .filter')).toHaveCount(3);
    await page.getByLabel('Search apps').press('Enter');
  }
  await expect(page.locator('#results')).toContainText('“status:” takes active or inactive, not “gone”.');
  await search(page, plain, 'owner:ana');
  await expect(page.locator('#results')).toContainText('owner: is not a filter; it was searched as text.');
});

test('live search keeps the filters open and their fields true', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps');
  await page.getByText('Filters', { exact: true }).click();
  await page.getByLabel('Search apps').fill('order category:partner');
  await expect(page.getByRole('form', { name: 'Filters' }).getByLabel('Category')).toHaveValue('partner');
  await page.getByLabel('Status', { exact: true }).selectOption('Active');
  await page.getByRole('button', { name: 'Apply filters' }).click();
  await expect(page).toHaveURL('/apps?q=order+category%3Apartner+status%3Aactive');
});

test('the list is saved as a file that holds what it shows @plain', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps?q=order&sort=created');
  const shown = await names(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'JSON', exact: true }).click()]);
  expect(download.suggestedFilename()).toMatch(/^apps-\d{4}-\d{2}-\d{2}\.json$/);
  const parts = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  expect(JSON.parse(Buffer.concat(parts).toString()).map((app) => app.name)).toEqual(shown);
});

test('columns sort both ways and say so (UI1) @plain', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps');
  const head = (name) => page.getByRole('columnheader', { name });
  await expect(head('Name')).toHaveAttribute('aria-sort', 'ascending');
  const rising = await names(page);
  expect(rising).toEqual(rising.toSorted((a, b) => a.localeCompare(b, 'en')));
  await head('Name').getByRole('link').click();
  await expect(head('Name')).toHaveAttribute('aria-sort', 'descending');
  const falling = await names(page);
  expect(falling).toEqual(falling.toSorted((a, b) => b.localeCompare(a, 'en')));
  for (const column of ['Category', 'Status', 'Created at', 'Last modified']) {
    await head(column).getByRole('link').click();
    await expect(head(column)).toHaveAttribute('aria-sort', 'ascending');
    await expect(rows(page)).toHaveCount(50);
  }
  await head('Created at').getByRole('link').click();
  expect((await names(page))[0]).toMatch(/ 01$/);
  await head('Created at').getByRole('link').click();
  expect((await names(page))[0]).toMatch(/ 60$/);
});

test('pages follow one another without loss or repetition @plain', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps?per=25&sort=category');
  const pager = page.getByRole('navigation', { name: 'Pages' });
  const all = [];
  for (const range of ['1-25 of 60', '26-50 of 60', '51-60 of 60']) {
    await expect(pager).toContainText(range);
    all.push(...await names(page));
    const next = pager.getByRole('link', { name: 'Next' });
    if (range.startsWith('51')) await expect(next).toHaveCount(0);
    else await next.click();
  }
  expect(new Set(all).size).toBe(60);
  await pager.getByRole('link', { name: 'Previous' }).click();
  await expect(pager).toContainText('26-50 of 60');
  expect(await names(page)).toEqual(all.slice(25, 50));
  await pager.getByRole('link', { name: '100' }).click();
  await expect(rows(page)).toHaveCount(60);
});

test('a state of the list that nobody can have is answered with a list all the same @plain', async ({ open }) => {
  const page = await open('initech');
  for (const query of ['sort=nothing', 'dir=sideways', 'per=0', 'per=ten', 'status=gone', 'category=friend', 'after=forged', `q=${'x'.repeat(300)}`]) {
    const answer = await page.goto(`/apps?${query}`);
    expect(answer.status(), query).toBeGreaterThanOrEqual(200);
    expect(answer.status(), query).toBeLessThan(500);
    await expect(page.getByRole('heading', { level: 1 }), query).toHaveText('API consumer apps');
  }
});

test('live search keeps the focus, says the count, replaces the address and never asks twice for one word', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps');
  const box = page.getByLabel('Search apps');
  const before = traffic().length;
  await box.pressSequentially('candidate', { delay: 30 });
  await expect(rows(page)).toHaveCount(10);
  await expect(page.locator('#status')).toHaveText('10 of 60 apps');
  await expect(box).toBeFocused();
  const asked = traffic().slice(before).filter((exchange) => exchange.path === '/apps');
  expect(asked).toHaveLength(1);
  expect(asked[0].requestHeaders['x-fragment']).toEqual(['results']);
  expect(asked[0].header('vary')).toContain('X-Fragment');
  expect(asked[0].text).not.toMatch(/<html/i);
  await page.goto('/apps?q=order');
  await box.fill('');
  await expect(rows(page)).toHaveCount(50);
  await box.pressSequentially('e'); // one letter asks nothing
  await box.press('Enter'); // but Enter always does
  await expect(page).toHaveURL(/q=e/);
});

test('live search that fails keeps the rows and says so', async ({ open, faults }) => {
  const page = await open('initech');
  await page.goto('/apps?q=order');
  const before = await names(page);
  await page.route('**/apps?**', (route) => route.abort());
  await page.getByLabel('Search apps').fill('worker');
  await expect(page.locator('.search-note')).toHaveText('Search did not answer. Press Enter to try again.');
  expect(await names(page)).toEqual(before);
  for (const fault of faults.splice(0)) expect(fault).toContain('net::ERR_FAILED'); // the browser says so too
});

test('back and forward keep search, order and page (UI8) @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps?sort=created&dir=desc&per=25');
  await search(page, plain, 'invoice');
  await expect(rows(page)).toHaveCount(10);
  const found = await names(page);
  await rows(page).first().getByRole('rowheader').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(found[0]);
  await page.goBack();
  await expect(rows(page)).toHaveCount(10);
  expect(await names(page)).toEqual(found);
});

test('the list weighs what P10 allows (UI12)', async ({ open }) => {
  const page = await open('initech');
  const before = traffic().length;
  await page.goto('/apps');
  await expect(rows(page)).toHaveCount(50);
  const got = traffic().slice(before);
  const weigh = (type) => got.filter((exchange) => exchange.header('content-type').startsWith(type)).reduce((sum, { text }) => sum + text.length, 0);
  expect(weigh('text/html')).toBeGreaterThan(0);
  expect(weigh('text/html'), 'bytes of HTML').toBeLessThanOrEqual(90 * 1024);
  expect(weigh('text/css') + weigh('text/javascript'), 'bytes of style and script').toBeLessThanOrEqual(40 * 1024);
});
