// Support: apps of all organisations, found by client ID, name and e-mail address (protocol.md §6).
import { expect, test } from './fixtures.js';
import { register } from './pages.js';

async function lookUp(page, text) {
  await page.goto('/lookup');
  await page.getByLabel('Client ID, name or e-mail').fill(text);
  await page.getByRole('button', { name: 'Look up' }).click();
}

const found = (page) => page.locator('#results .found');

test('support finds an app, its organisation, status and contact, and nothing else @plain', async ({ open, unique }) => {
  const name = unique('Lost & <i>found</i> loader');
  const app = await register(await open('admin'), {
    name, contact: { first: 'Nora', last: 'Owner', email: 'nora.owner@acme.example' },
  });
  const page = await open('support');
  for (const text of [app.clientID, name, 'FOUND</i> load', 'lost', 'Nora.Owner@acme.example']) {
    await lookUp(page, text);
    await expect(page.getByLabel('Client ID, name or e-mail')).toHaveValue(text);
    const row = found(page).filter({ has: page.getByRole('heading', { name, exact: true }) });
    await expect(row, text).toHaveCount(1);
    await expect(row).toContainText('of Acme');
    await expect(row).toContainText('Active');
    await expect(row).toContainText('Nora Owner');
    expect(new URL(page.url()).search, 'nothing of it stands in the address').toBe('');
  }
  const row = found(page).filter({ has: page.getByRole('heading', { name, exact: true }) });
  const answer = await page.locator('#results').innerHTML();
  expect(answer).not.toContain(app.clientID);
  expect(answer).not.toContain(app.id);
  const mail = new URL(await row.getByRole('link', { name: 'Mail Nora Owner' }).getAttribute('href'));
  expect(mail.pathname).toBe('nora.owner@acme.example');
  expect([...mail.searchParams.keys()]).toEqual(['subject', 'body']);
  expect(mail.searchParams.get('subject')).toBe(`[Credenza] ${name}`);
  expect((await page.request.get(`/apps/${app.id}`)).status(), 'no way into the app').toBe(403);

  const admin = await open('admin');
  await admin.goto(`/apps/${app.id}/history`);
  const event = admin.getByRole('listitem').filter({ hasText: `Support looked up ${name}` });
  await expect(event).toHaveCount(5);
  await expect(event.first()).not.toContainText('127.0.0.1');
});

test('a lookup that finds nothing says why @plain', async ({ open, unique }) => {
  const page = await open('support');
  await lookUp(page, 'CCWACME_aaaaaaaaaaaaaaaaaaaa');
  await expect(page.locator('#results')).toContainText('No app has this client ID');
  await lookUp(page, unique('zeppelin'));
  await expect(page.locator('#results')).toContainText('No app has a name');
  await lookUp(page, 'nobody@nowhere.example');
  await expect(page.locator('#results')).toContainText('No app has a contact');
  await lookUp(page, 'ab');
  await expect(page.getByRole('alert')).toContainText('at least 3 letters');
  await page.goto('/lookup?client=CCWACME_aaaaaaaaaaaaaaaaaaaa');
  await expect(page.getByLabel('Client ID, name or e-mail')).toHaveValue('CCWACME_aaaaaaaaaaaaaaaaaaaa');
  await expect(page.locator('#results')).toHaveCount(0);
});

test('nobody but the platform\'s support looks up @plain', async ({ open }) => {
  for (const who of ['admin', 'viewer', 'guest', 'globex']) {
    const page = await open(who);
    expect((await page.goto('/lookup')).status(), who).toBe(403);
    const answer = await page.request.post('/lookup', { form: { q: 'export' }, headers: { 'Sec-Fetch-Site': 'same-origin' } });
    expect(answer.status(), who).toBe(403);
    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Lookup' })).toHaveCount(0);
  }
});
