// Pictures of every page, for people to look at: `npm run screenshots -- DIRECTORY [page …]`. Each page at 1280 and 390
// px, light and dark. With `--docs FILE` only the picture of the README is made.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium as playwright } from '@playwright/test';
import { chromium } from './chromium.js';
import { fillRegister, readReveal, register, rotate, signIn } from './pages.js';
import { command, Server } from './server.js';

const widths = { 1280: 800, 390: 844 };
const themes = ['light', 'dark'];
const [first, ...rest] = process.argv.slice(2);
if (!first) throw new Error('Name the directory for the pictures.');

const server = await Server.start();
const browser = await playwright.launch({ executablePath: chromium(), args: ['--disable-gpu', '--disable-quic'] });

/** Opens a page of somebody who is signed in; without an address nobody is. */
async function open(email, options = {}) {
  const context = await browser.newContext({
    baseURL: server.url, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, ...options,
  });
  context.on('page', (page) => page.on('dialog', (dialog) => dialog.accept()));
  const page = await context.newPage();
  if (email) {
    await page.goto('/signin');
    await signIn(page, email, server.env.CREDENZA_DEMO_PASSWORD);
    await page.waitForURL(`${server.url}/`);
  }
  return page;
}

/** Secrets for the apps of the demonstration, so that the grid shows more than one state. */
async function dress(page) {
  await command(server, 'app', 'create', '--org', 'platform', '--name', 'Spend API', '--resource-server', 'coupa-core', '--json');
  const apps = await command(server, 'app', 'list', '--org', 'acme', '--json');
  const id = (name) => apps.find((app) => app.name === name).id;
  await rotate(page, id('SAP spend export'));
  await rotate(page, id('SAP spend export'));
  await rotate(page, id('Workforce sync'));
  await rotate(page, id('MSP reporting'));
  await refuse(page, apps.find((app) => app.name === 'SAP spend export'));
  return id('SAP spend export');
}

/** Requests that are refused, and the minute until pages tell of them. */
async function refuse(page, { id, client_id: clientID }) {
  const secrets = ['not the secret', '', 'not the secret'];
  for (const [i, named] of [clientID, clientID, `${clientID.slice(0, -1)}0`].entries()) {
    for (const grant of ['client_credentials', 'password']) {
      await fetch(`${server.url}/oauth2/token`, {
        method: 'POST', body: new URLSearchParams({ grant_type: grant, client_id: named, client_secret: secrets[i] }),
      });
    }
  }
  for (let told = 0; told === 0; told = await page.locator('.rejections-table').count()) {
    await page.waitForTimeout(2000);
    await page.goto(`/apps/${id}`);
  }
}

/** The pages by name: who looks, and where or what to do. */
function views(app) {
  const go = (path) => (page) => page.goto(path);
  const [admin, root, support] = ['admin@acme.example', 'root@platform.example', 'support@platform.example'];
  const lookUp = (text) => async (page) => {
    await page.goto('/lookup');
    await page.getByLabel('Client ID, name or e-mail').fill(text);
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.waitForLoadState();
  };
  const opened = (name, link) => async (page) => {
    await page.goto('/apps');
    await page.getByRole('link', { name, exact: true }).click();
    if (link) await page.getByRole('link', { name: link, exact: true }).click();
    await page.waitForLoadState();
  };
  const runTest = async (page, secret) => {
    await page.getByLabel('Client secret', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Run the test' }).click();
    await page.waitForLoadState();
  };
  const tested = (secret) => async (page) => {
    await page.goto(`/apps/${app}/test`);
    await runTest(page, secret);
  };
  return {
    signin: [null, go('/signin')],
    'signin-wrong': [null, async (page) => { await page.goto('/signin'); await signIn(page, admin, 'no such password'); }],
    home: [admin, go('/')],
    'home-new': ['admin@globex.example', go('/')],
    'home-viewer': ['viewer@acme.example', go('/')],
    'home-support': [support, go('/')],
    'home-root': [root, go('/')],
    lookup: [support, go('/lookup')],
    'lookup-found': [support, lookUp('export')],
    'lookup-none': [support, lookUp('CCWACME_aaaaaaaaaaaaaaaaaaaa')],
    'lookup-short': [support, lookUp('x')],
    help: [admin, go('/help')],
    grid: [admin, go('/apps')],
    'grid-menu': [admin, async (page) => { await page.goto('/apps'); await page.getByRole('button', { name: /^Actions for/ }).first().click(); }],
    'grid-filters': [admin, async (page) => {
      await page.goto('/apps?q=export+category:customer+-status:inactive+foo:bar');
      await page.getByText('Filters', { exact: true }).click();
    }],
    'grid-invalid': [admin, go('/apps?q=status:gone')],
    'grid-filtered': [admin, go('/apps?q=export+category:customer')],
    'grid-no-match': [admin, go('/apps?q=nothing+of+this+status:inactive')],
    'grid-secret': [admin, go('/apps?hint=secret')],
    'grid-empty': ['viewer@globex.example', go('/apps?q=status:inactive+category:msp')],
    register: [admin, go('/apps/new')],
    'register-errors': [admin, async (page) => { await page.goto('/apps/new'); await page.getByRole('button', { name: 'Create app' }).click(); }],
    reveal: [admin, async (page, shot) => {
      await fillRegister(page, { name: `Order mirror ${shot}`, scopes: ['core.purchase_order.read'] });
      await page.getByRole('button', { name: 'Create app' }).click();
      await readReveal(page);
    }],
    detail: [admin, go(`/apps/${app}`)],
    'detail-viewer': ['viewer@acme.example', go(`/apps/${app}`)],
    edit: [admin, go(`/apps/${app}/edit`)],
    rotate: [admin, go(`/apps/${app}/secrets/new`)],
    'rotate-leaked': [admin, async (page) => {
      await page.goto(`/apps/${app}/secrets/new`);
      await page.getByRole('radio', { name: 'The secret has leaked' }).check();
    }],
    test: [admin, go(`/apps/${app}/test`)],
    'test-failed': [admin, tested('CCWACME_aaaaaaaaaaaaaaaaaaaa')],
    'test-passed': [admin, async (page, shot) => {
      const { id, secret } = await register(page, { name: `Tested ${shot}`, scopes: ['core.invoice.read'] });
      await page.goto(`/apps/${id}/test`);
      await runTest(page, secret);
    }],
    rejections: [admin, go(`/apps/${app}/rejections`)],
    unknown: [admin, go('/apps/unknown')],
    history: [admin, go(`/apps/${app}/history`)],
    deactivate: [admin, go(`/apps/${app}/deactivate`)],
    'deactivate-dialog': [admin, async (page) => {
      await page.goto(`/apps/${app}`);
      await page.getByRole('link', { name: 'Deactivate', exact: true }).click();
      await page.getByRole('dialog').waitFor();
    }],
    delete: [admin, go(`/apps/${app}/delete`)],
    scopes: [admin, go('/scopes')],
    'scopes-ticked': [admin, go('/scopes?q=invoice&scope=core.invoice.read&scope=ccw.candidates')],
    'scopes-call': [admin, go('/scopes?q=POST+/invoices')],
    'scopes-unpublished': [admin, go('/scopes?q=items')],
    'scopes-no-call': [admin, go('/scopes?q=POST+/invoice')],
    'scopes-no-match': [admin, go('/scopes?q=core.invoices.reed')],
    'scopes-guest': ['guest@acme.example', go('/scopes?q=purchase_order')],
    scope: [admin, go('/scopes/core.purchase_order.write')],
    'scope-withheld': ['guest@acme.example', go('/scopes/PM.OAuthApp')],
    'scope-missing': [admin, go('/scopes/ccw.candidate')],
    'scopes-add': [admin, go('/scopes/add?scope=core.invoice.read&scope=openid')],
    'register-scopes': [admin, go('/apps/new?scope=ccw.candidates&scope=openid&scope=core.gone')],
    'server-register': [root, go('/apps/new')],
    'server-register-caller': [root, async (page) => { await page.goto('/apps/new'); await page.getByRole('radio', { name: 'An app that calls APIs' }).check(); }],
    'server-reveal': [root, async (page, shot) => {
      await page.goto('/apps/new');
      await page.getByLabel('API', { exact: true }).selectOption('ccw');
      await page.getByLabel('Name', { exact: true }).fill(`Workforce API ${shot}`);
      await page.getByLabel('Description', { exact: true }).fill('Asks what tokens of the workforce API are good for.');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await readReveal(page);
    }],
    'server-grid': [root, go('/apps')],
    'server-detail': [root, opened('Spend API')],
    'server-edit': [root, opened('Spend API', 'Edit')],
    'server-history': [root, opened('Spend API', 'History')],
    forbidden: ['viewer@acme.example', go('/apps/new')],
    'no-rights': ['guest@acme.example', go('/')],
    'not-found': [admin, go('/no/such/page')],
  };
}

async function all(directory, wanted) {
  mkdirSync(directory, { recursive: true });
  const app = await dress(await open('admin@acme.example'));
  const pages = {};
  let shots = 0;
  for (const [name, [who, show]] of Object.entries(views(app))) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const page = pages[who] ??= await open(who);
    for (const [width, height] of Object.entries(widths)) {
      for (const colorScheme of themes) {
        await page.setViewportSize({ width: Number(width), height });
        await page.emulateMedia({ colorScheme });
        await show(page, shots += 1);
        await page.screenshot({ path: join(directory, `${name}-${width}-${colorScheme}.png`), fullPage: !/menu|dialog/.test(name) });
      }
    }
  }
  console.log(`${shots} pictures are in ${directory}.`);
}

/** The grid of a working day, for the README. */
async function docs(file) {
  const page = await open('admin@acme.example', { colorScheme: 'light' });
  await dress(page);
  for (const [name, category, user, scopes] of [
    ['Coupa invoice archive', 'Customer', /client user/, ['core.invoice.read']],
    ['Candidate screening', 'Partner', /supplier user/, ['ccw.candidates']],
  ]) await register(page, { name, category, user, scopes });
  await page.goto('/apps');
  await page.screenshot({ path: file, scale: 'css' });
  console.log(`The picture is ${file}.`);
}

try {
  if (first === '--docs') await docs(resolve(rest[0]));
  else await all(resolve(first), rest);
} finally {
  await browser.close();
  await server.remove();
}
