// The management API as newcomers meet it: the page that describes it, its commands in a shell, and what it refuses.
import { inspect } from './axe.js';
import { credenza, expect, run, test } from './fixtures.js';
import { run as execute } from './server.js';

/** Runs printed commands in bash, as they stand, and returns what each that answers says. */
async function shell(lines, variables, input) {
  const done = await execute('bash', ['--norc', '-c', ['set -eu', ...lines].join('\n')], {
    input, env: { PATH: process.env.PATH, ...variables },
  });
  expect(done.stderr).toBe('');
  return done.stdout.trim().split('\n').map((line) => JSON.parse(line));
}

test('a viewer reads about the management API; its commands do what they say', async ({ open }) => {
  test.setTimeout(60_000);
  const page = await open('viewer');
  await page.goto('/');
  await page.getByRole('navigation').getByRole('link', { name: 'API', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Credenza management API' })).toBeVisible();
  await inspect(page, '/api');

  const app = await credenza('app', 'create', '--org', 'acme', '--name', 'Reads the catalogue', '--api-user', 'automation',
    '--scope', 'registry.scopes.read', '--scope', 'registry.apps.read', '--json');
  const command = (name) => page.getByRole('region', { name, exact: true }).innerText();
  const [apis, scopes, scope, refused] = await shell([
    await command('Type the secret'), await command('Get a token'),
    await command('Command: List the APIs that tokens are made for'),
    await command('Command: List or search the catalogue of scopes'),
    await command('Command: Read a scope and the calls it opens'),
    await command('Command: List apps'),
  ], { CCW_CLIENT_ID: app.client_id }, `${app.client_secret}\n`);
  expect(apis.items.map(({ key }) => key)).toEqual(expect.arrayContaining(['coupa-core', 'ccw', 'credenza']));
  expect(scopes.items).toHaveLength(100);
  expect(scope).toMatchObject({ name: 'core.invoice.read', api: 'coupa-core', kind: 'read', grantable: true });
  // The API user of the demonstration holds no right over apps.
  expect(refused).toMatchObject({ status: 403, error_code: 'E4030001' });
});

test('the description is an OpenAPI document, and a session opens no call of it', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/api');
  const [description, call] = await page.evaluate(async () => Promise.all(['/api/v1/openapi.json', '/api/v1/apis'].map(async (path) => {
    const answer = await fetch(path);
    return { status: answer.status, body: await answer.json() };
  })));
  expect(description).toMatchObject({ status: 200, body: { openapi: '3.1.1', servers: [{ url: run().url }] } });
  expect(call).toMatchObject({ status: 401, body: { error_code: 'E4010002' } });
  const guest = await open('guest');
  expect((await guest.goto('/api')).status()).toBe(403);
});
