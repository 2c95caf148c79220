// The walk of issue 2, with and without scripts: what an integration admin does from sign-in to a deleted app.
import { readFileSync } from 'node:fs';
import { expect, printedPassword, run, test, traffic } from './fixtures.js';
import { requestToken, self, token } from './clients.js';
import {
  appID, closeReveal, confirm, expectNoSecret, fillApp, fillRegister, readReveal, register, signIn,
} from './pages.js';
import { runPrintedLines } from './printed.js';

test.describe.configure({ mode: 'serial' });

const scopes = ['core.invoice.read', 'core.invoice.write'];
let app; // of this walk: name, id, clientID, secret, and later old and token

test('sign in with the printed password, and land on the page first asked for @plain', async ({ open }) => {
  const page = await open();
  await page.goto('/apps/new');
  await expect(page).toHaveTitle('Sign in · Credenza');
  await signIn(page, 'admin@acme.example', 'no such password');
  await expect(page.getByRole('alert')).toContainText('wrong');
  await expect(page.getByLabel('E-mail')).toHaveValue('admin@acme.example');
  await signIn(page, 'admin@acme.example', printedPassword());
  await expect(page).toHaveURL('/apps/new');
});

test('register an app with every field, see its secret once, use it as printed (UI1, UI13) @plain', async ({ open, unique, plain }) => {
  const page = await open('admin');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  app = { name: unique('SAP spend export walk') };
  await page.goto('/apps');
  await page.getByRole('link', { name: 'Create', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Register an API consumer app');
  await expect(page.getByLabel('E-mail', { exact: true })).toHaveValue('admin@acme.example'); // prefilled
  await fillApp(page, {
    name: app.name, description: 'Moves approved invoices to SAP.\nEvery night.', category: /^Partner/,
    contact: { first: 'Ana', last: 'Silva', email: 'ana@acme.example' },
    second: { first: 'Jo', last: 'Weber-Łuk', email: 'jo@acme.example' },
    expiry: 'In 180 days', user: /supplier user/, scopes, active: true,
  });
  await page.getByRole('button', { name: 'Create app' }).click();
  Object.assign(app, await readReveal(page));
  expect(app.clientID).toMatch(/^CCWACME_[a-km-np-z2-9]{20}$/);
  expect(app.secret).toMatch(/^ccws_[0-9A-Za-z]{62}$/);
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(page.getByLabel('Both for an .env file', { exact: true })).toHaveValue(
    Object.entries(envOf(app)).map((pair) => pair.join('=')).join('\n'));

  if (plain) {
    for (const name of ['Copy client ID', 'Copy client secret', 'Hide', 'Download .env']) {
      await expect(page.getByRole('button', { name })).toBeHidden();
    }
  } else {
    await usesButtons(page);
  }
  await runsPrintedLines(page, app);
  if (!plain) app.id = appID(page); // the address of the app stands in the address bar already
});

const envOf = ({ clientID, secret }) => (
  { CCW_CLIENT_ID: clientID, CCW_SECRET: secret, CCW_TOKEN_URL: `${run().url}/oauth2/token` });

async function usesButtons(page) {
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  const status = page.locator('#status');
  await page.getByRole('button', { name: 'Copy client ID' }).click();
  await expect(status).toHaveText('Client ID copied');
  expect(await clipboard()).toBe(app.clientID);

  const field = page.getByLabel('Client secret', { exact: true });
  await page.getByRole('button', { name: 'Hide' }).click();
  await expect(field).toHaveClass(/masked/);
  const button = page.getByRole('button', { name: 'Copy client secret' });
  await button.click();
  await expect(status).toHaveText('Client secret copied');
  await expect(button).toContainText('Copied');
  expect(await clipboard()).toBe(app.secret); // copying works while hidden
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(field).not.toHaveClass(/masked/);

  const before = traffic().length;
  const env = envOf(app);
  for (const [name, ending, content] of [
    ['Download .env', 'env', Object.entries(env).map(([key, value]) => `${key}=${value}\n`).join('')],
    ['Download JSON', 'json', `${JSON.stringify(Object.fromEntries(Object.entries(env).map(([key, value]) => [key.toLowerCase(), value])), null, 2)}\n`],
  ]) {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe(`sap-spend-export-walk.${ending}`);
    expect(readFileSync(await download.path(), 'utf8')).toBe(content);
  }
  expect(traffic().length).toBe(before); // made on the page, not fetched
}

/** Runs the lines of the page exactly as they stand, in bash, the secret typed at the prompt (ui.md §7, 13). */
async function runsPrintedLines(page, { secret, clientID, name }) {
  const [bought, own] = await runPrintedLines(page, secret);
  expect(bought).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
  expect(own).toMatchObject({ client_id: clientID, name, status: 'active', category: 'partner' });
  expect(own.scopes.toSorted()).toEqual(scopes);
  expect(own.secrets).toHaveLength(1);
  expect(own.secrets[0].hint).toBe(secret.slice(-4));
  const days = (Date.parse(own.secrets[0].ends_at) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(180);
}

test('after a reload, back, forward and in a second tab there is no secret (C13, UI4) @plain', async ({ open, unique, plain }) => {
  const page = await open('admin');
  const name = unique('Reload and back');
  await fillRegister(page, { name });
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  if (plain) {
    await page.reload(); // sends the form again
    await expect(page.getByText('The secret was already shown')).toBeVisible();
  } else {
    await expect(page).toHaveURL(/\/apps\/[0-9a-f-]{36}$/);
    await page.reload();
  }
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expectNoSecret(page);
  const address = page.url();
  for (const go of ['goBack', 'goBack', 'goForward', 'goForward']) {
    // Without scripts the answer to the form stands in the history; the browser would have to send the form again.
    await page[go]().catch((error) => { expect(error.message).toContain('ERR_CACHE_MISS'); });
    await expectNoSecret(page);
  }
  const second = await page.context().newPage();
  for (let i = 0; i < 3; i += 1) {
    await second.goto(address);
    await expectNoSecret(second);
  }
  await second.goto(`/apps?q=${encodeURIComponent(name)}`);
  await expect(second.getByRole('row').filter({ hasText: name })).toHaveCount(1); // one app, not two
});

test('find the app by words, category and status (UI1) @plain', async ({ open, plain }) => {
  const page = await open('admin');
  await page.goto('/apps');
  const row = page.getByRole('row').filter({ hasText: app.clientID });
  await page.getByLabel('Search apps').fill('walk spend');
  if (plain) await page.getByRole('button', { name: 'Search' }).click();
  await expect(row).toHaveCount(1);
  await expect(page).toHaveURL(/q=walk\+spend/);
  for (const [select, option, there] of [['Category', 'Partner', 1], ['Status', 'Active', 1], ['Status', 'Inactive', 0]]) {
    await page.getByText('Filters', { exact: true }).click();
    await page.getByRole('form', { name: 'Filters' }).getByLabel(select, { exact: true }).selectOption(option);
    await page.getByRole('button', { name: 'Apply filters' }).click();
    await expect(page).toHaveURL(new RegExp(`${select.toLowerCase()}%3A${option.toLowerCase()}`));
    await expect(row).toHaveCount(there);
  }
  await expect(page.getByRole('heading', { name: 'No app matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Remove filter status:inactive' }).click();
  await expect(row).toHaveCount(1);
  await row.getByRole('link', { name: app.name }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(app.name);
  app.id = appID(page);
  await expect(page.locator('.contact-name', { hasText: 'Jo Weber-Łuk' })).toBeVisible();
  await expect(page.getByLabel('Token URL', { exact: true })).toHaveValue(`${run().url}/oauth2/token`);
});

test('edit: what is wrong is named, what was typed stays, then it is saved @plain', async ({ open, unique }) => {
  const page = await open('admin');
  await page.goto(`/apps/${app.id}`);
  await page.getByRole('link', { name: 'Edit' }).click();
  await fillApp(page, {
    name: 'x', description: 'short', second: { first: 'Only', last: '', email: 'nobody' },
  });
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.getByRole('alert').getByRole('heading')).toHaveText('There are 4 problems');
  await expect(page.getByRole('alert')).toBeFocused();
  for (const [label, value] of [['Application name', 'x'], ['Description', 'short']]) {
    await expect(page.getByLabel(label, { exact: true })).toHaveValue(value);
    await expect(page.getByLabel(label, { exact: true })).toHaveAttribute('aria-invalid', 'true');
  }
  await expect(page.locator('#f-second_first_name')).toHaveValue('Only');
  await expect(page.locator('#f-second_email')).toHaveValue('nobody');
  await expect(page.locator(`input[name="scope"][value="${scopes[0]}"]`)).toBeChecked();
  await page.getByRole('alert').getByRole('link').first().click();
  await expect(page.getByLabel('Application name', { exact: true })).toBeFocused();

  app.name = unique('SAP spend export, edited');
  await fillApp(page, {
    name: app.name, description: 'Moves approved invoices and orders to SAP.', second: { first: '', last: '', email: '' },
    scopes: ['core.purchase_order.read'],
  });
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page).toHaveURL(`/apps/${app.id}`);
  await expect(page.getByRole('status').filter({ hasText: app.name })).toBeVisible();
  await expect(page.getByText('Jo Weber-Łuk')).toHaveCount(0);
  await expect(page.getByText('core.purchase_order.read', { exact: true })).toBeVisible();
});

test('Generate makes a second secret, both get tokens, the old one is retired and refused at once (UI1, UI6) @plain', async ({ open }) => {
  const page = await open('admin');
  app.old = app.secret;
  app.oldToken = await token({ clientID: app.clientID, secret: app.old });
  await page.goto(`/apps/${app.id}/edit`);
  await page.getByRole('link', { name: 'Generate' }).click();
  await expect(page).toHaveURL(`/apps/${app.id}/secrets/new`);
  await expect(page.getByRole('radio', { name: 'In 7 days' })).toBeChecked();
  await page.getByRole('radio', { name: 'In 24 hours' }).check();
  await page.getByRole('button', { name: 'Create new secret' }).click();
  app.secret = (await readReveal(page)).secret;
  expect(await page.getByLabel('Client ID', { exact: true }).inputValue()).toBe(app.clientID);
  expect(app.secret).not.toBe(app.old);
  await expect(page.getByText(`The old secret …${app.old.slice(-4)} ends on`)).toBeVisible();
  await closeReveal(page);

  await expect(page.getByRole('heading', { name: 'Two secrets work' })).toBeVisible();
  for (const secret of [app.old, app.secret]) await token({ clientID: app.clientID, secret });

  const row = page.getByRole('row').filter({ hasText: `…${app.old.slice(-4)}` });
  await confirm(page, row.getByRole('link', { name: /^Retire/ }), /^Retire/);
  await expect(page.getByText(/secret .*has been retired|retired/i).first()).toBeVisible();
  expect((await requestToken({ clientID: app.clientID, secret: app.old })).status).toBe(401);
  expect((await self(app.oldToken)).status).toBe(200); // tokens issued before go on
  app.token = await token(app);

  await expect(row.getByRole('link', { name: /^Retire/ })).toHaveCount(0);
  await expect(page.getByRole('link', { name: /^Retire/ })).toHaveCount(0); // nor for the last one that works
  const { body: own } = await self(app.token);
  await page.goto(`/apps/${app.id}/secrets/${own.token.secret_id}/retire`);
  await expect(page.getByText('This is the last secret of an active app')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Retire/ })).toHaveCount(0);
});

test('deactivate: tokens are refused at once; activate brings the app back, not its tokens @plain', async ({ open }) => {
  const page = await open('admin');
  await page.goto(`/apps/${app.id}`);
  await confirm(page, page.getByRole('link', { name: 'Deactivate', exact: true }), `Deactivate ${app.name}`);
  await expect(page.locator('.page-title')).toContainText('Inactive');
  expect((await requestToken(app)).status).toBe(401);
  expect((await self(app.token)).status).toBe(401);

  await confirm(page, page.getByRole('link', { name: 'Activate', exact: true }).last(), `Activate ${app.name}`);
  await expect(page.locator('.page-title')).toContainText('Active');
  expect((await self(app.token)).status).toBe(401);
  expect((await self(await token(app))).status).toBe(200);
});

test('delete: only an inactive app, and only with its name (UI1) @plain', async ({ open }) => {
  const page = await open('admin');
  await page.goto(`/apps/${app.id}`);
  await expect(page.getByRole('link', { name: 'Delete', exact: true })).toHaveCount(0);
  await page.goto(`/apps/${app.id}/delete`);
  await expect(page.getByText('Only an inactive app can be deleted.')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Delete/ })).toHaveCount(0);

  await page.getByRole('link', { name: 'Deactivate' }).click();
  await page.getByRole('button', { name: `Deactivate ${app.name}` }).click();
  await page.getByRole('link', { name: 'Delete', exact: true }).click();
  await page.getByLabel('Name of the app').fill('something else');
  await page.getByRole('button', { name: `Delete ${app.name}` }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('Name of the app').fill(app.name);
  await page.getByRole('button', { name: `Delete ${app.name}` }).click();
  await expect(page).toHaveURL('/apps');
  await expect(page.getByRole('status').filter({ hasText: app.name })).toBeVisible();
  expect((await page.goto(`/apps/${app.id}`)).status()).toBe(404);
  expect((await requestToken(app)).status).toBe(401);

  await page.goto(`/apps/${app.id}/history`);
  await expect(page.locator('.event-text')).toHaveText([
    /deleted/, /deactivated/, /activated/, /deactivated/, /retired the secret/, /made the new secret/, /changed/, /registered/,
  ]);
  await expectNoSecret(page);
  await register(page, { name: app.name }); // the name is free again
});

test('sign out ends the session @plain', async ({ open }) => {
  const page = await open();
  await page.goto('/signin');
  await signIn(page, 'admin@acme.example', printedPassword());
  await expect(page).toHaveURL('/');
  const stolen = await page.context().cookies();
  await page.getByRole('button', { name: 'Account of Ana Silva' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto('/apps');
  await expect(page).toHaveTitle('Sign in · Credenza');
  await page.context().addCookies(stolen);
  await page.goto('/apps');
  await expect(page).toHaveTitle('Sign in · Credenza');
});
