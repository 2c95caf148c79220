// Item 5 of issue 2: who may see and who may change, in the HTML and by POST.
import { expect, people, test } from './fixtures.js';
import { self, token } from './clients.js';
import { register } from './pages.js';

/** Posts a form from within the page, with its session, and returns the status. The server answers 303 with the page. */
const post = (page, path, fields = {}) => page.request.post(path, { form: fields, maxRedirects: 0, headers: { 'Sec-Fetch-Site': 'same-origin' } });

// Every address that changes something, below the path of an app.
const changes = (app) => [
  ['/apps', { name: 'Made by a viewer', nonce: 'n' }],
  ['/apps/new', { redraw: 'users' }],
  [`/apps/${app.id}/edit`, { version: '1', name: 'Renamed by a viewer' }],
  [`/apps/${app.id}/secrets/new`, { why: 'planned', nonce: 'n' }],
  [`/apps/${app.id}/secrets/${app.secretID}/retire`, { version: '1' }],
  [`/apps/${app.id}/activate`, { version: '1' }],
  [`/apps/${app.id}/deactivate`, { version: '1' }],
  [`/apps/${app.id}/delete`, { version: '1', confirm_name: app.name }],
];

let app;

test.describe.configure({ mode: 'serial' });

test('an app to look at @plain', async ({ open, unique }) => {
  const page = await open('admin');
  app = await register(page, { name: unique('Seen by others') });
  app.secretID = (await self(await token(app))).body.token.secret_id;
});

test('a viewer sees everything and finds nothing to change it with (UI9) @plain', async ({ open }) => {
  const page = await open('viewer');
  await page.goto('/');
  await expect(page.getByRole('link', { name: 'Create app' })).toHaveCount(0);
  await page.goto(`/apps?q=${encodeURIComponent(app.name)}`);
  const row = page.getByRole('row').filter({ hasText: app.clientID });
  await expect(row).toHaveCount(1);
  await row.getByRole('button', { name: `Actions for ${app.name}` }).click();
  await expect(row.getByRole('listitem')).toHaveText(['Open', 'History', 'Mail the contact']);
  await page.goto(`/apps/${app.id}`);
  await expect(page.getByLabel('Client ID', { exact: true })).toHaveValue(app.clientID);
  await expect(page.getByText('core.invoice.read').first()).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: `…${app.secret.slice(-4)}` })).toBeVisible();
  await expect(page.getByRole('link', { name: 'admin@acme.example' })).toBeVisible();
  const html = await page.content();
  for (const path of ['/apps/new', '/edit', '/secrets/', '/activate', '/deactivate', '/delete']) {
    expect(html).not.toContain(path);
  }
  expect(await page.locator('main form').count()).toBe(0);
  await page.goto(`/apps/${app.id}/history`);
  await expect(page.getByRole('listitem').filter({ hasText: `Ana Silva registered ${app.name}` })).toBeVisible();
});

test('a viewer who asks for a form or sends one is refused by name of the right, 403 (UI9) @plain', async ({ open }) => {
  const page = await open('viewer');
  for (const path of ['/apps/new', `/apps/${app.id}/edit`, `/apps/${app.id}/secrets/new`, `/apps/${app.id}/delete`]) {
    expect((await page.goto(path)).status(), path).toBe(403);
    await expect(page.getByText('Integration toolkit > API consumer apps > Manage API client app')).toBeVisible();
    await expect(page.getByRole('link', { name: 'Mail a request to Ana Silva' })).toBeVisible(); // who can grant it
  }
  for (const [path, fields] of changes(app)) {
    expect((await post(page, path, fields)).status(), path).toBe(403);
  }
});

test('a viewer cannot change anything by fetch from a page either', async ({ open }) => {
  const page = await open('viewer');
  await page.goto(`/apps/${app.id}`);
  const statuses = await page.evaluate((list) => Promise.all(list.map(async ([path, fields]) => (
    await fetch(path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })).status)), changes(app));
  expect(statuses).toEqual(changes(app).map(() => 403));
});

test('a guest is told which right is missing and who can grant it @plain', async ({ open }) => {
  const page = await open('guest');
  expect((await page.goto('/')).status()).toBe(200);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You are signed in, but have no right yet');
  await expect(page.getByText('View API client app')).toBeVisible();
  await expect(page.getByText('Manage API client app')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Mail a request to Ana Silva' })).toHaveAttribute('href', /^mailto:admin@acme\.example\?.*Manage%20API%20client%20app/);
  await expect(page.getByRole('navigation').getByRole('link', { name: 'API consumer apps' })).toHaveCount(0);
  for (const path of ['/apps', `/apps/${app.id}`, `/apps/${app.id}/history`]) {
    expect((await page.goto(path)).status(), path).toBe(403);
    await expect(page.getByText('Integration toolkit > API consumer apps > View API client app')).toBeVisible();
    expect(await page.content()).not.toContain(app.name);
  }
  for (const [path, fields] of changes(app)) expect((await post(page, path, fields)).status(), path).toBe(403);
});

test('at Globex nothing of Acme exists (UI17) @plain', async ({ open }) => {
  const page = await open('globex');
  await page.goto(`/apps?q=${encodeURIComponent(app.name)}`);
  await expect(page.getByRole('heading', { name: 'No app matches' })).toBeVisible();
  await page.goto(`/apps?q=${app.clientID}`);
  await expect(page.getByText('No app in this organisation has this client ID.')).toBeVisible();
  await page.goto('/apps?per=100');
  await expect(page.getByText('CCWACME_')).toHaveCount(0);
  const strange = '01890000-0000-7000-8000-000000000000';
  for (const below of ['', '/edit', '/history', '/secrets/new', `/secrets/${app.secretID}/retire`, '/activate', '/deactivate', '/delete']) {
    const theirs = await page.goto(`/apps/${app.id}${below}`);
    expect(theirs.status(), below).toBe(404);
    const nobodys = await page.request.get(`/apps/${strange}${below}`);
    expect(nobodys.status()).toBe(404);
    expect((await theirs.text()).replaceAll(app.id, ''), 'the same words for theirs and nobody\'s').toBe((await nobodys.text()).replaceAll(strange, ''));
  }
  for (const [path, fields] of changes(app).slice(2)) {
    expect((await post(page, path, fields)).status(), path).toBe(404);
  }
});

test('whoever is not signed in is asked to @plain', async ({ open }) => {
  const page = await open();
  for (const path of ['/', '/apps', '/apps/new', `/apps/${app.id}`, `/apps/${app.id}/history`]) {
    await page.goto(path);
    await expect(page, path).toHaveURL(/\/signin/);
  }
  for (const [path, fields] of changes(app)) {
    const answer = await post(page, path, fields);
    expect(answer.status(), path).toBe(303);
    expect(answer.headers().location).toMatch(/^\/signin/);
  }
});

test('nothing was changed, and every attempt stands in the history @plain', async ({ open }) => {
  const page = await open('admin');
  await page.goto(`/apps/${app.id}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(app.name);
  await expect(page.locator('.page-title')).toContainText('Active');
  await expect(page.getByRole('row').filter({ hasText: `…${app.secret.slice(-4)}` })).toHaveCount(1);
  await page.goto(`/apps/${app.id}/history`);
  const refused = page.getByRole('listitem').filter({ hasText: 'Refused' });
  for (const attempt of [
    'tried to change', 'tried to make a new secret for', 'tried to retire a secret of', 'tried to activate', 'tried to deactivate', 'tried to delete',
  ]) {
    const event = refused.filter({ hasText: `Jo Weber ${attempt}` }).first();
    await expect(event, attempt).toContainText('from 127.0.0.1');
    await expect(event.getByRole('time').or(event.locator('time')).first()).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT/);
    await expect(refused.filter({ hasText: `Kim Lee ${attempt}` }).first()).toBeVisible();
  }
  await expect(page.getByText(people.globex)).toHaveCount(0); // another organisation's attempts are not ours to read
  await page.goto('/apps?q=viewer');
  await expect(page.getByRole('heading', { name: 'No app matches' })).toBeVisible();
});
