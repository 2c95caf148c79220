// Every page of the portal in the states that people meet, for pictures (screenshots.js) and for the tour (tour.spec.js).
import { fillRegister, readReveal, register, rotate, signIn } from './pages.js';
import { isOf, pages } from './routes.js';
import { command } from './server.js';

const [admin, viewer, guest] = ['admin@acme.example', 'viewer@acme.example', 'guest@acme.example'];
const [root, support] = ['root@platform.example', 'support@platform.example'];

/** What GET answers by leading elsewhere only. */
const leadOn = ['/find', '/apps/bulk'];

/**
 * Fills the demonstration so that each page has something to show, and returns the parameters of its paths. open(email)
 * returns a page of somebody who is signed in; without an address nobody is.
 */
export async function furnish(server, mailbox, open) {
  const page = await open(admin);
  const api = await command(server, 'app', 'create', '--org', 'platform', '--name', 'Spend API', '--resource-server', 'coupa-core', '--json');
  const person = await command(
    server, 'person', 'create', '--org', 'acme', '--email', 'new@acme.example', '--first-name', 'Nora', '--last-name', 'Neu', '--json');
  const apps = await command(server, 'app', 'list', '--org', 'acme', '--json');
  const named = (name) => apps.find((app) => app.name === name);
  const id = named('SAP spend export').id;
  await rotate(page, id);
  await refuse(server, named('SAP spend export'));
  const secret = await rotate(page, id, { end: 'In 24 hours' });
  await rotate(page, named('Workforce sync').id);
  const soon = await register(page, {
    name: 'Expense feed, ends soon', expiry: 'On a day', expiresOn: new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10),
    second: { first: 'Jo', last: 'Weber', email: 'jo@acme.example' },
  });
  const idle = await register(page, { name: 'Switched off', active: false });
  const retired = await retire(page, named('MSP reporting').id);
  const handed = await handOver(page, soon.id);
  return {
    id, soon: soon.id, idle: idle.id, name: 'core.purchase_order.write', retired, ...handed,
    ...await machines(page), tasks: await tasks(page), sid: await sidOn(page, id), view: await save(page), job: await startJob(page),
    // The secrets that work, by client ID.
    secrets: { [named('SAP spend export').client_id]: secret, [soon.clientID]: soon.secret, [api.client_id]: api.client_secret },
    invitation: person.signin_link, contact: await linkIn(mailbox, /\/contact\/verify\?[^\s"<]+/),
  };
}

/** Requests that are refused; pages tell of them within a minute. */
async function refuse(server, { client_id: clientID }) {
  const secrets = ['not the secret', '', 'not the secret'];
  for (const [i, named] of [clientID, clientID, `${clientID.slice(0, -1)}0`].entries()) {
    for (const grant of ['client_credentials', 'password']) {
      await fetch(`${server.url}/oauth2/token`, {
        method: 'POST', body: new URLSearchParams({ grant_type: grant, client_id: named, client_secret: secrets[i] }),
      });
    }
  }
}

/** A robot account in a group of its own, and an API of the organisation's own. */
async function machines(page) {
  await page.goto('/groups/new');
  await page.locator('main [name=name]').fill('Exporters');
  await page.getByRole('button', { name: 'Create group' }).click();
  await page.waitForURL(/\/groups\/[0-9a-f-]{36}/);
  const group = partOf(page.url(), 'groups');
  await page.goto('/robots/new');
  await page.locator('main [name=name]').fill('export-robot');
  await page.getByRole('checkbox', { name: /^Exporters/ }).check();
  await page.getByRole('button', { name: 'Create robot account' }).click();
  await page.waitForURL(/\/robots\/[0-9a-f-]{36}/);
  const robot = partOf(page.url(), 'robots');
  await page.goto('/catalogue/new');
  const document = await page.locator('[name=document]').inputValue();
  await page.getByRole('button', { name: 'Save API' }).click();
  await page.waitForLoadState();
  return { group, robot, own: /^key: (\S+)/m.exec(document)[1] };
}

const partOf = (href, before) => new RegExp(`/${before}/([0-9a-f-]{36})`).exec(href)[1];

/** Makes two secrets, ends the old one and returns its page of restoring. */
async function retire(page, id) {
  await rotate(page, id);
  await rotate(page, id);
  await page.goto(`/apps/${id}/secrets/${await sidOn(page, id)}/retire`);
  await page.getByRole('button', { name: /^Retire/ }).click();
  return page.locator('a[href$="/restore"]').first().getAttribute('href');
}

async function sidOn(page, id) {
  await page.goto(`/apps/${id}`);
  return partOf(await page.locator('a[href$="/retire"]').first().getAttribute('href'), 'secrets');
}

async function handOver(page, id) {
  await page.goto(`/apps/${id}/hand-offs/new`);
  await page.getByLabel('Whom the link is for').fill('Kim at SAP');
  await page.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByLabel('Link', { exact: true }).inputValue();
  await page.goto(`/apps/${id}`);
  return { handOff: link, hid: partOf(await page.locator('a[href$="/withdraw"]').first().getAttribute('href'), 'hand-offs') };
}

async function save(page) {
  await page.goto('/apps/views/new?q=category%3Apartner&sort=created&dir=desc');
  await page.getByLabel('Name of the view').fill('Partners, latest first');
  await page.getByRole('button', { name: 'Save view' }).click();
  await page.goto('/apps/views');
  return partOf(await page.locator('a[href^="/apps/views/"][href$="/delete"]').first().getAttribute('href'), 'views');
}

async function startJob(page) {
  await page.goto('/apps?q=sap');
  for (const box of await page.getByRole('checkbox', { name: /^Select (?!all)/ }).all()) await box.check();
  await page.getByRole('button', { name: 'Activate', exact: true }).click();
  await page.getByRole('button', { name: /^Activate/ }).click();
  await page.waitForURL(/\/jobs\//);
  return partOf(page.url(), 'jobs');
}

/** The tasks that the help lists. */
async function tasks(page) {
  await page.goto('/help');
  const links = await page.locator('main a[href^="/help/"]').evaluateAll((list) => list.map((a) => a.getAttribute('href').split(/[/#]/)[2]));
  return [...new Set(links)];
}

async function linkIn(mailbox, form) {
  for (let i = 0; i < 300; i += 1) {
    const [link] = form.exec(mailbox.text) ?? [];
    if (link) return link;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`no mail holds ${form}`);
}

const press = (name) => (page) => page.getByRole('button', { name }).click();

const lookUp = (text) => async (page) => {
  await page.getByLabel('Client ID, name or e-mail').fill(text);
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.waitForLoadState();
};

const open = (name, link) => async (page) => {
  await page.getByRole('link', { name, exact: true }).click();
  if (link) await page.getByRole('link', { name: link, exact: true }).click();
  await page.waitForLoadState();
};

const test = (secret) => async (page) => {
  await page.getByLabel('Client secret', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Run the test' }).click();
  await page.waitForLoadState();
};

const tick = async (page) => {
  for (let i = 0; i < 3; i += 1) await page.getByRole('checkbox', { name: /^Select (?!all)/ }).nth(i).check();
};

const bulk = (name) => async (page) => {
  await tick(page);
  await page.getByRole('button', { name }).click();
  await page.waitForLoadState();
};

/**
 * The pages by name: who looks, at which address, and what they do there. What act gets besides the page is a number that
 * no other call gets, for names. Names with menu or dialog are shown as the window shows them.
 */
export function views(at) {
  const app = `/apps/${at.id}`;
  return {
    signin: [null, '/signin'],
    'signin-wrong': [null, '/signin', (page) => signIn(page, admin, 'no such password')],
    accept: [null, at.invitation],
    'accept-gone': [null, '/people/accept?token=none'],
    'hand-off': [null, at.handOff],
    'hand-off-gone': [null, '/hand-off?token=none'],
    'hand-off-done': [null, '/hand-off/done'],
    contact: [null, at.contact],
    'contact-answered': [null, at.contact, async (page) => {
      const yes = page.getByRole('button', { name: /^Yes/ });
      if (await yes.isVisible()) await yes.click(); // not offered again
    }],
    home: [admin, '/'],
    'home-new': ['admin@globex.example', '/'],
    'home-viewer': [viewer, '/'],
    'home-support': [support, '/'],
    'home-root': [root, '/'],
    lookup: [support, '/lookup'],
    'lookup-found': [support, '/lookup', lookUp('export')],
    'lookup-none': [support, '/lookup', lookUp('CCWACME_aaaaaaaaaaaaaaaaaaaa')],
    'lookup-short': [support, '/lookup', lookUp('x')],
    help: [admin, '/help'],
    'help-out': [null, '/help'],
    ...Object.fromEntries(at.tasks.map((task) => [`help-${task}`, [admin, `/help/${task}`]])),
    grid: [admin, '/apps'],
    'grid-viewer': [viewer, '/apps'],
    'grid-menu': [admin, '/apps', async (page) => page.getByRole('button', { name: /^Actions for/ }).first().click()],
    'grid-ticked-menu': [admin, '/apps', tick],
    'grid-filters': [admin, '/apps?q=export+category:customer+-status:inactive+foo:bar', async (page) => page.getByText('Filters', { exact: true }).click()],
    'grid-invalid': [admin, '/apps?q=status:gone'],
    'grid-filtered': [admin, '/apps?q=export+category:customer'],
    'grid-no-match': [admin, '/apps?q=nothing+of+this+status:inactive'],
    'grid-secret': [admin, '/apps?hint=secret'],
    'grid-empty': ['viewer@globex.example', '/apps?q=status:inactive+category:msp'],
    'grid-columns': [admin, '/apps?cols=contact,user,scopes'],
    'grid-compact': [admin, '/apps?density=compact'],
    'grid-more-menu': [admin, '/apps', async (page) => page.getByRole('button', { name: 'Columns' }).click()],
    pasted: [admin, '/apps/pasted'],
    'pasted-none': [admin, '/apps/pasted', async (page) => {
      await page.locator('[name=client_secret]').fill('CCWACME_aaaaaaaaaaaaaaaaaaaa');
      await page.locator('main form button[type=submit]').last().click();
    }],
    contacts: [admin, '/apps/contacts'],
    rejected: [admin, '/apps/rejected'],
    'bulk-mail': [admin, '/apps', bulk('Mail contacts')],
    'bulk-ask': [admin, '/apps', bulk('Deactivate')],
    'bulk-reassign': [admin, '/apps', bulk('Give another contact')],
    job: [admin, `/jobs/${at.job}`],
    views: [admin, '/apps/views'],
    'view-new': [admin, '/apps/views/new?q=category%3Apartner&sort=created'],
    'view-edit': [admin, `/apps/views/${at.view}`],
    'view-delete': [admin, `/apps/views/${at.view}/delete`],
    unused: [admin, '/apps/unused'],
    unknown: [admin, '/apps/unknown'],
    register: [admin, '/apps/new'],
    'register-errors': [admin, '/apps/new', press('Create app')],
    reveal: [admin, '/apps/new', async (page, shot) => {
      await fillRegister(page, { name: `Order mirror ${shot}`, scopes: ['core.purchase_order.read'] });
      await page.getByRole('button', { name: 'Create app' }).click();
      await readReveal(page);
    }],
    detail: [admin, app],
    'detail-soon': [admin, `/apps/${at.soon}`],
    'detail-off': [admin, `/apps/${at.idle}`],
    'detail-viewer': [viewer, app],
    edit: [admin, `${app}/edit`],
    rotate: [admin, `/apps/${at.soon}/secrets/new`],
    'rotate-two': [admin, `${app}/secrets/new`],
    'rotate-leaked': [admin, `/apps/${at.soon}/secrets/new`, (page) => page.getByRole('radio', { name: 'The secret has leaked' }).check()],
    retire: [admin, `${app}/secrets/${at.sid}/retire`],
    extend: [admin, `${app}/secrets/${at.sid}/extend`],
    restore: [admin, at.retired],
    'hand-over': [admin, `/apps/${at.idle}/hand-offs/new`],
    'hand-over-made': [admin, `/apps/${at.idle}/hand-offs/new`, async (page, shot) => {
      await page.getByLabel('Whom the link is for').fill(`Kim at SAP ${shot}`);
      await page.getByRole('button', { name: 'Make the link' }).click();
    }],
    withdraw: [admin, `/apps/${at.soon}/hand-offs/${at.hid}/withdraw`],
    test: [admin, `${app}/test`],
    'test-failed': [admin, `${app}/test`, test('CCWACME_aaaaaaaaaaaaaaaaaaaa')],
    'test-passed': [admin, '/apps', async (page, shot) => {
      const { id, secret } = await register(page, { name: `Tested ${shot}`, scopes: ['core.invoice.read'] });
      await page.goto(`/apps/${id}/test`);
      await test(secret)(page);
    }],
    rejections: [admin, `${app}/rejections`],
    mail: [admin, `/apps/${at.soon}/mail`],
    'mail-viewer': [viewer, `/apps/${at.soon}/mail`],
    history: [admin, `${app}/history`],
    activate: [admin, `/apps/${at.idle}/activate`],
    deactivate: [admin, `${app}/deactivate`],
    'deactivate-dialog': [admin, app, async (page) => {
      await page.getByRole('link', { name: 'Deactivate', exact: true }).click();
      await page.getByRole('dialog').waitFor();
    }],
    delete: [admin, `/apps/${at.idle}/delete`],
    'delete-active': [admin, `${app}/delete`],
    scopes: [admin, '/scopes'],
    'scopes-ticked': [admin, '/scopes?q=invoice&scope=core.invoice.read&scope=ccw.candidates'],
    'scopes-call': [admin, '/scopes?q=POST+/invoices'],
    'scopes-unpublished': [admin, '/scopes?q=items'],
    'scopes-no-call': [admin, '/scopes?q=POST+/invoice'],
    'scopes-no-match': [admin, '/scopes?q=core.invoices.reed'],
    'scopes-guest': [guest, '/scopes?q=purchase_order'],
    scope: [admin, `/scopes/${at.name}`],
    'scope-withheld': [guest, '/scopes/PM.OAuthApp'],
    'scope-missing': [admin, '/scopes/ccw.candidate'],
    'scopes-add': [admin, '/scopes/add?scope=core.invoice.read&scope=openid'],
    'register-scopes': [admin, '/apps/new?scope=ccw.candidates&scope=openid&scope=core.gone'],
    catalogue: [root, '/catalogue'],
    'catalogue-own': [admin, '/catalogue'],
    'catalogue-api': [root, '/catalogue/coupa-core'],
    'catalogue-api-own': [admin, `/catalogue/${at.own}`],
    'catalogue-new': [admin, '/catalogue/new'],
    'catalogue-import': [admin, '/catalogue/import'],
    'catalogue-edit': [admin, `/catalogue/${at.own}/edit`],
    'catalogue-remove': [admin, `/catalogue/${at.own}/remove`],
    'catalogue-history': [admin, `/catalogue/${at.own}/history`],
    'catalogue-map': [root, '/catalogue/coupa-core/map?method=GET&path=/items'],
    'catalogue-unmap': [root, '/catalogue/coupa-core/unmap?method=GET&path=/items', async (page) => {
      await page.goto('/catalogue/coupa-core/map?method=GET&path=/items');
      await page.getByLabel('core.item.read', { exact: false }).first().check();
      await page.getByRole('button', { name: 'Save mapping' }).click();
      await page.goto('/catalogue/coupa-core/unmap?method=GET&path=/items');
    }],
    api: [admin, '/api'],
    robots: [admin, '/robots'],
    'robots-none': [admin, '/robots?q=nothing'],
    'robots-viewer': [viewer, '/robots'],
    'robot-new': [admin, '/robots/new'],
    robot: [admin, `/robots/${at.robot}`],
    'robot-viewer': [viewer, `/robots/${at.robot}`],
    'robot-edit': [admin, `/robots/${at.robot}/edit`],
    'robot-extend': [admin, `/robots/${at.robot}/extend`],
    'robot-activate': [admin, `/robots/${at.robot}/activate`],
    'robot-deactivate': [admin, `/robots/${at.robot}/deactivate`],
    'robot-delete': [admin, `/robots/${at.robot}/delete`],
    groups: [admin, '/groups'],
    'group-new': [admin, '/groups/new'],
    group: [admin, `/groups/${at.group}`],
    'group-robots': [admin, `/groups/${at.group}?tab=robots`],
    'group-rights': [admin, `/groups/${at.group}?tab=rights`],
    'group-edit': [admin, `/groups/${at.group}/edit`],
    'group-delete': [admin, `/groups/${at.group}/delete`],
    'server-register': [root, '/apps/new'],
    'server-register-caller': [root, '/apps/new', (page) => page.getByRole('radio', { name: 'An app that calls APIs' }).check()],
    'server-reveal': [root, '/apps/new', async (page, shot) => {
      await page.getByLabel('API', { exact: true }).selectOption('ccw');
      await page.getByLabel('Name', { exact: true }).fill(`Workforce API ${shot}`);
      await page.getByLabel('Description', { exact: true }).fill('Asks what tokens of the workforce API are good for.');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await readReveal(page);
    }],
    'server-grid': [root, '/apps'],
    'server-detail': [root, '/apps', open('Spend API')],
    'server-edit': [root, '/apps', open('Spend API', 'Edit')],
    'server-history': [root, '/apps', open('Spend API', 'History')],
    forbidden: [viewer, '/apps/new'],
    'no-rights': [guest, '/'],
    'not-found': [admin, '/no/such/page'],
  };
}

/** Fails when a page of the table of routes has no view. */
export function complete(list) {
  const addresses = Object.values(list).map(([, address]) => address.replace(/^https?:\/\/[^/]+/, ''));
  const missing = pages.filter((route) => !leadOn.includes(route) && !addresses.some((address) => isOf(route, address)));
  if (missing.length > 0) throw new Error(`views.js has no view of ${missing.join(', ')}`);
}

/** Shows a view on a page. */
export async function show(page, [, address, act], shot) {
  await page.goto(address);
  if (act) await act(page, shot);
}
