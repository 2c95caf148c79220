// Forms: what is wrong is named and nothing typed is lost; a secret is made once, whatever is sent how often.
import { expect, test, traffic } from './fixtures.js';
import { expectNoSecret, fillApp, fillRegister, readReveal, register, secretForm } from './pages.js';

test('an empty form names every field that is missing @plain', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/apps/new');
  await fillApp(page, { contact: { first: '', last: '', email: '' } });
  await page.getByRole('button', { name: 'Create app' }).click();
  await expect(page).toHaveTitle(/^Error: Register an API consumer app/);
  const summary = page.getByRole('alert');
  await expect(summary).toBeFocused();
  const named = await summary.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  expect(named).toEqual(['#f-name', '#f-description', '#f-category', '#f-first_name', '#f-last_name', '#f-email', '#f-api_user', '#f-scope']);
  for (const target of named) {
    await expect(page.locator(target)).toHaveAttribute('aria-invalid', 'true');
    const note = (await page.locator(target).getAttribute('aria-describedby')).split(' ').find((id) => id.endsWith('-error'));
    await expect(page.locator(`#${note}`)).toBeVisible();
  }
});

test('each fault is named beside its field and everything typed stays @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const taken = await register(page, { name: unique('Name that is taken') });
  const typed = {
    name: taken.name.toUpperCase(), description: `${'Much. '.repeat(80)}End.`, category: /^MSP/, user: /MSP user/,
    contact: { first: 'Zoë', last: 'Ångström', email: 'zoe@acme.example' },
    second: { first: 'Only a first name', last: '', email: '' },
    scopes: ['core.supplier.write', 'core.supplier.read'], active: false,
  };
  await fillRegister(page, typed);
  await page.getByLabel('Secret expires', { exact: true }).selectOption({ label: 'On a day of your choice' });
  await page.getByLabel('Expires on', { exact: true }).fill('2020-02-29');
  await page.getByRole('button', { name: 'Create app' }).click();
  const summary = page.getByRole('alert');
  await expect(summary.getByRole('link', { name: /name/i }).first()).toBeVisible();
  const named = await summary.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  expect(named).toEqual(expect.arrayContaining(['#f-name', '#f-second_last_name', '#f-second_email', '#f-expires_on']));
  await expect(page.getByLabel('Application name', { exact: true })).toHaveValue(typed.name);
  await expect(page.getByLabel('Description', { exact: true })).toHaveValue(typed.description.trim());
  await expect(page.getByRole('radio', { name: /^MSP/ })).toBeChecked();
  await expect(page.locator('#f-last_name')).toHaveValue('Ångström');
  await expect(page.locator('#f-second_first_name')).toHaveValue('Only a first name');
  await expect(page.getByLabel('Expires on', { exact: true })).toHaveValue('2020-02-29');
  await expect(page.getByLabel('API user', { exact: true }).locator('option:checked')).toContainText('MSP user');
  for (const scope of typed.scopes) await expect(page.locator(`input[name="scope"][value="${scope}"]`)).toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'Active' })).not.toBeChecked();
  await expectNoSecret(page);

  await fillApp(page, { name: unique('Name that is free'), second: { first: '', last: '', email: '' } });
  await page.getByLabel('Secret expires', { exact: true }).selectOption({ label: 'Never' });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  await expect(page.getByText('does not expire by itself')).toBeVisible();
});

test('a form sent twice makes one app and shows its secret once (C13, UI4) @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const name = unique('Sent twice');
  await fillRegister(page, { name });
  const before = traffic().length;
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  const sent = traffic().slice(before).find((exchange) => exchange.method === 'POST' && exchange.path === '/apps');
  expect(sent.status).toBe(200);
  expect(sent.header('cache-control')).toBe('no-store');
  const again = () => page.request.post('/apps', {
    data: Buffer.from(sent.sent, 'latin1'), maxRedirects: 0,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
  });
  for (const answer of [await again(), await again()]) {
    expect(answer.status()).toBe(303);
    expect(answer.headers().location).toMatch(/^\/apps\/[0-9a-f-]{36}$/);
    expect(await answer.text()).not.toMatch(secretForm);
  }
  await page.goto(`/apps?q=${encodeURIComponent(name)}`);
  await expect(page.getByText('The secret was already shown')).toBeVisible();
  await expect(page.locator('#results tbody tr')).toHaveCount(1);
});

test('two people edit: the second sees both and decides @plain', async ({ open, unique }) => {
  const mine = await open('admin');
  const app = await register(mine, { name: unique('Edited by two') });
  const theirs = await open('admin');
  for (const page of [mine, theirs]) await page.goto(`/apps/${app.id}/edit`);
  await fillApp(theirs, { description: 'Theirs came first, and stands.' });
  await theirs.getByRole('button', { name: 'Save changes' }).click();
  await expect(theirs).toHaveURL(`/apps/${app.id}`);
  await fillApp(mine, { description: 'Mine came second, and waits.' });
  await mine.getByRole('button', { name: 'Save changes' }).click();
  const clash = mine.getByRole('alert');
  await expect(clash).toContainText('Somebody else saved this meanwhile');
  await expect(clash.getByRole('cell')).toHaveText(['Mine came second, and waits.', 'Theirs came first, and stands.']);
  await expect(mine.getByLabel('Description', { exact: true })).toHaveValue('Mine came second, and waits.');
  await mine.getByRole('button', { name: 'Save changes' }).click();
  await expect(mine.getByText('Mine came second, and waits.')).toBeVisible();
});

test('the address may fill the form, and makes nothing @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const name = unique('From a link');
  await page.goto(`/apps/new?name=${encodeURIComponent(name)}&category=supplier&scope=core.invoice.read&scope=core.user.read&scope=no.such`);
  await expect(page.getByLabel('Application name', { exact: true })).toHaveValue(name);
  await expect(page.getByRole('radio', { name: /^Supplier/ })).toBeChecked();
  await expect(page.locator('input[name="scope"]:checked')).toHaveCount(2);
  await page.goto(`/apps?q=${encodeURIComponent(name)}`);
  await expect(page.getByRole('heading', { name: 'No app matches' })).toBeVisible();
});

test('the scope picker finds by call and loses no tick @plain', async ({ open, plain }) => {
  const page = await open('admin');
  await page.goto('/apps/new?scope=core.supplier.read');
  const box = (scope) => page.locator(`input[name="scope"][value="${scope}"]`);
  const find = async (text) => {
    await page.getByLabel('Find a scope', { exact: true }).fill(text);
    if (plain) await page.getByRole('button', { name: 'Find' }).click();
  };
  await find('POST /api/invoices');
  await expect(box('core.invoice.write')).toBeVisible();
  await box('core.invoice.write').check();
  await find('candidates');
  await box('ccw.candidates').check();
  await find('');
  for (const scope of ['core.supplier.read', 'core.invoice.write', 'ccw.candidates']) await expect(box(scope)).toBeChecked();
  await expect(page.getByText('3 chosen').first()).toBeVisible();
  await page.getByLabel('Find a scope', { exact: true }).fill('zzz');
  await page.getByLabel('Find a scope', { exact: true }).press('Enter'); // looks for scopes, and does not send the form
  await expect(page).not.toHaveTitle(/^Error/);
  for (const scope of ['core.supplier.read', 'core.invoice.write', 'ccw.candidates']) await expect(box(scope)).toBeChecked();
});

test('the reveal page asks before it is left unread', async ({ open }) => {
  const page = await open('admin');
  await fillRegister(page, { name: 'Left unread' });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  const asked = page.waitForEvent('dialog');
  await page.getByRole('link', { name: 'Home' }).first().click();
  expect((await asked).type()).toBe('beforeunload');
  await expect(page).toHaveURL('/');
});

test('a secret is gone when its page comes back from the back/forward cache (C13, UI4) @plain', async ({
  playwright, launchOptions, open, unique, plain, javaScriptEnabled, baseURL,
}) => {
  // Tests run without that cache, people do not.
  const browser = await playwright.chromium.launch({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const session = await (await open('admin')).context().storageState();
  const page = await browser.newPage({ baseURL, javaScriptEnabled, storageState: session });
  await fillRegister(page, { name: unique('Left and come back') });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  page.on('dialog', (dialog) => dialog.accept());
  await page.evaluate(() => addEventListener('pageshow', ({ persisted }) => sessionStorage.setItem('persisted', persisted)));
  await page.getByRole('link', { name: 'Help' }).click();
  await expect(page).toHaveURL('/help/register');
  if (plain) { // the answer to a form is not kept: the browser would have to send the form again
    await expect(page.goBack()).rejects.toThrow('ERR_CACHE_MISS');
  } else {
    await page.evaluate(() => history.back());
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Left and come back');
    expect(await page.evaluate(() => sessionStorage.getItem('persisted'))).toBe('true'); // the cache was at work
  }
  await expectNoSecret(page);
  await browser.close();
});

test('Close insists on the tick, without scripts too @plain', async ({ open, unique }) => {
  const page = await open('admin');
  await fillRegister(page, { name: unique('Tick first') });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  await page.getByRole('button', { name: 'Close' }).click();
  await readReveal(page); // still here
  await page.getByLabel('I have stored the secret').check();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/Tick first/);
  await expectNoSecret(page);
});
