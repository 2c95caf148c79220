// Before the other tests: what the server prints, the people sign in, and an organisation with a long list of apps is
// made on the command line beside the running server.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credenza, expect, people, printedPassword, refusedFile, run, sessionFile, test } from './fixtures.js';
import { requestToken, self, token } from './clients.js';
import { register, signIn } from './pages.js';
import { fakePassword } from './server.js';

test('the server says where it is and who can sign in', async () => {
  const said = readFileSync(join(run().dir, 'out', 'stdout'), 'utf8');
  expect(said).toContain(`Credenza is at ${run().url}\n`);
  for (const who of ['admin@acme.example', 'viewer@acme.example', 'guest@acme.example', 'admin@globex.example']) {
    expect(said).toContain(who);
  }
  expect(printedPassword()).toBe(run().env.CREDENZA_DEMO_PASSWORD);
});

test('the master key is readable by its owner only', async () => {
  expect(statSync(run().env.CREDENZA_MASTER_KEY_FILE).mode & 0o777).toBe(0o600);
});

for (const who of ['admin', 'viewer', 'guest', 'globex', 'root', 'support']) {
  test(`${people[who]} signs in`, async ({ open }) => {
    const page = await open();
    await page.goto('/');
    await signIn(page, people[who], printedPassword());
    await expect(page).toHaveURL('/');
    await page.context().storageState({ path: sessionFile(who) });
  });
}

test('an organisation begins on the command line and its administrator by a link', async ({ open }) => {
  const org = await credenza('org', 'create', '--name', 'Initech', '--prefix', 'INIT', '--json');
  expect(org).toMatchObject({ name: 'Initech', short_name: 'initech', client_prefix: 'INIT' });
  const person = await credenza(
    'person', 'create', '--org', 'initech', '--email', people.initech, '--first-name', 'Ida', '--last-name', 'Nowak', '--admin', '--json');
  const page = await open();
  await page.goto(person.signin_link);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Welcome, Ida');
  const password = fakePassword();
  await page.getByLabel('New password', { exact: true }).fill(password);
  await page.getByLabel('New password, once more').fill(password);
  await page.getByRole('button', { name: 'Save and sign in' }).click();
  await expect(page).toHaveURL('/');
  await page.context().storageState({ path: sessionFile('initech') });

  await page.goto('/apps');
  await expect(page.getByRole('heading', { name: 'No app has been registered yet' })).toBeVisible();

  const used = await open();
  await used.goto(person.signin_link);
  await expect(used.getByText('This link was used already or has ended. Ask for a new one.')).toBeVisible();
});

test('apps are registered on the command line beside the server', async ({ open }) => {
  const categories = ['customer', 'partner', 'supplier', 'msp'];
  const topics = ['Invoice export', 'Worker sync', 'Candidate feed', 'Expense pilot', 'Supplier desk', 'Order mirror'];
  for (let i = 0; i < 60; i += 1) {
    const flags = i % 10 === 9 ? ['--inactive'] : [];
    await credenza(
      'app', 'create', '--org', 'INIT', '--name', `${topics[i % topics.length]} ${String(i + 1).padStart(2, '0')}`,
      '--category', categories[i % 4], '--scope', 'core.invoice.read', '--without-secret', '--json', ...flags);
  }
  const list = await credenza('app', 'list', '--org', 'initech', '--json');
  expect(list).toHaveLength(60);
  const page = await open('initech');
  await page.goto('/apps');
  await expect(page.getByText('1-50 of 60')).toBeVisible();
});

// What is counted is written each minute. Counted here, it is there when rejections.spec.js looks.
test('an app is used and refused', async ({ open }) => {
  const app = await register(await open('admin'), { name: 'Refused again and again' });
  app.mistyped = `${app.clientID.slice(0, -1)}0`;
  expect((await requestToken({ ...app, secret: 'not the secret' })).status).toBe(401);
  expect((await requestToken(app, 'core.invoice.write')).status).toBe(400);
  expect((await requestToken({ ...app, clientID: app.mistyped })).status).toBe(401);
  await token(app);
  writeFileSync(refusedFile(), JSON.stringify({ ...app, secret: app.secret.slice(-4), at: Date.now() }));
});

// Whatever else runs, the last tests find a secret, a session and a token to look for.
test('an app is registered, gets a token and uses it', async ({ open }) => {
  const app = await register(await open('globex'), { name: 'First of Globex' });
  expect(app.clientID).toMatch(/^CCWGLBX_/);
  expect((await self(await token(app))).body).toMatchObject({ client_id: app.clientID, name: app.name });
});
