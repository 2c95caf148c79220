// OAuth clients that others wrote, with the secret read off the page: oauth4webapi (strict) and Go's x/oauth2.
import { fileURLToPath } from 'node:url';
import * as oauth from 'oauth4webapi';
import { expect, run, test } from './fixtures.js';
import { self } from './clients.js';
import { confirm, register, rotate } from './pages.js';
import { run as runProgram } from './server.js';

test.describe.configure({ mode: 'serial' });

const loopback = { [oauth.allowInsecureRequests]: true };
const module = fileURLToPath(new URL('../..', import.meta.url));
let app; // id, clientID, secret, and after the rotation old
let server; // metadata as discovered

test('an app for the clients', async ({ open }) => {
  const page = await open('admin');
  app = await register(page, { name: 'Clients of others', scopes: ['core.invoice.read', 'core.invoice.write', 'ccw.candidates'] });
});

test('oauth4webapi discovers the server', async () => {
  const issuer = new URL(run().url);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loopback });
  server = await oauth.processDiscoveryResponse(issuer, answer);
  expect(server).toMatchObject({
    issuer: run().url, token_endpoint: `${run().url}/oauth2/token`, introspection_endpoint: `${run().url}/oauth2/introspect`,
    revocation_endpoint: `${run().url}/oauth2/revoke`, jwks_uri: `${run().url}/oauth2/jwks`,
  });
  expect(server.grant_types_supported).toEqual(['client_credentials']);
  expect(server.token_endpoint_auth_methods_supported.toSorted()).toEqual(['client_secret_basic', 'client_secret_post']);
});

const ways = { client_secret_basic: oauth.ClientSecretBasic, client_secret_post: oauth.ClientSecretPost };

async function grant(way, secret, parameters = {}) {
  const client = { client_id: app.clientID };
  const answer = await oauth.clientCredentialsGrantRequest(server, client, ways[way](secret), new URLSearchParams(parameters), loopback);
  return oauth.processClientCredentialsResponse(server, client, answer);
}

for (const way of Object.keys(ways)) {
  test(`oauth4webapi gets, looks at and revokes a token with ${way}`, async () => {
    const client = { client_id: app.clientID };
    const authentication = ways[way](app.secret);
    const bought = await grant(way, app.secret, { scope: 'core.invoice.read' });
    expect(bought).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'core.invoice.read' });

    const look = async () => {
      const answer = await oauth.introspectionRequest(server, client, authentication, bought.access_token, loopback);
      return oauth.processIntrospectionResponse(server, client, answer);
    };
    expect(await look()).toMatchObject({
      active: true, client_id: app.clientID, sub: app.clientID, iss: run().url, scope: 'core.invoice.read',
      aud: `${run().url}/apis/coupa-core`,
    });
    const own = await self(bought.access_token);
    expect(own.body).toMatchObject({ client_id: app.clientID, token: { scope: 'core.invoice.read' } });

    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, bought.access_token, loopback));
    expect(await look()).toEqual({ active: false });
    expect((await self(bought.access_token)).status).toBe(401);
  });
}

test('oauth4webapi checks the token as a server that holds only the key set would', async () => {
  const bought = await grant('client_secret_basic', app.secret, { scope: 'ccw.candidates' });
  const resource = `${run().url}/apis/ccw`;
  const request = new Request(`${run().url}/anything`, { headers: { authorization: `Bearer ${bought.access_token}` } });
  const claims = await oauth.validateJwtAccessToken(server, request, resource, { ...loopback, requireDPoP: false });
  expect(claims).toMatchObject({ iss: run().url, sub: app.clientID, client_id: app.clientID, aud: resource, scope: 'ccw.candidates' });
});

test('oauth4webapi reads the errors as such', async () => {
  for (const [parameters, code] of [
    [{ scope: 'core.supplier.write' }, 'invalid_scope'], [{ scope: 'core.invoice.read ccw.candidates' }, 'invalid_scope'],
    [{ resource: 'https://elsewhere.example/' }, 'invalid_target'],
  ]) {
    await expect(grant('client_secret_post', app.secret, parameters)).rejects.toMatchObject({ error: code, status: 400 });
  }
  const wrong = app.secret.slice(0, -1) + (app.secret.endsWith('a') ? 'b' : 'a');
  await expect(grant('client_secret_post', wrong, { scope: 'core.invoice.read' })).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
});

const goClient = async (style, secret) => {
  const done = await runProgram(
    'go', ['run', './web/e2e/oauth2client', `${run().url}/oauth2/token`, app.clientID, style, 'core.invoice.read'],
    { cwd: module, input: `${secret}\n`, env: process.env });
  expect(done.stderr).toBe('');
  return JSON.parse(done.stdout);
};

for (const style of ['header', 'params', 'auto']) {
  test(`Go's x/oauth2 gets a token, credentials in style ${style}`, async () => {
    test.setTimeout(120_000); // compiles the program the first time
    const bought = await goClient(style, app.secret);
    expect(bought).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
    expect((await self(bought.access_token)).status).toBe(200);
  });
}

test('after a rotation old and new secret get tokens, after retiring the old one only the new does (C16, UI6)', async ({ open }) => {
  const page = await open('admin');
  app.old = app.secret;
  app.secret = await rotate(page, app.id, { end: 'In 1 hour' });
  for (const secret of [app.old, app.secret]) {
    for (const way of Object.keys(ways)) {
      expect((await grant(way, secret, { scope: 'core.invoice.read' })).token_type).toBe('bearer');
    }
    expect((await goClient('header', secret)).token_type).toBe('Bearer');
  }
  // A third secret is refused until one of the two makes room.
  await page.goto(`/apps/${app.id}/secrets/new`);
  await page.getByRole('button', { name: 'Create new secret' }).click();
  await expect(page.getByRole('alert')).toContainText(`…${app.old.slice(-4)}`);
  await page.goto(`/apps/${app.id}`);
  await confirm(page, page.getByRole('link', { name: 'Retire the old one now' }), /^Retire/);
  await expect(page.getByRole('heading', { name: 'Two secrets work' })).toHaveCount(0);
  for (const way of ['client_secret_post']) {
    await expect(grant(way, app.old, { scope: 'core.invoice.read' })).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
    expect((await grant(way, app.secret, { scope: 'core.invoice.read' })).token_type).toBe('bearer');
  }
  expect(await goClient('params', app.old)).toEqual({ error: 'invalid_client', status: 401 });
  expect((await goClient('params', app.secret)).token_type).toBe('Bearer');
});

test('a leaked secret ends with its tokens, and can be ended without a new one', async ({ open }) => {
  const bought = await grant('client_secret_basic', app.secret, { scope: 'core.invoice.read' });
  const page = await open('admin');
  await page.goto(`/apps/${app.id}/secrets/new`);
  await page.getByRole('radio', { name: 'The secret has leaked' }).check();
  await page.getByRole('button', { name: 'End it, make none' }).click();
  await expect(page).toHaveURL(`/apps/${app.id}`);
  await expect(page.getByText('Leaked, ended')).toBeVisible();
  await expect(page.getByText('The app has no secret that works, so it gets no tokens.')).toBeVisible();
  expect((await self(bought.access_token)).status).toBe(401);
  await expect(grant('client_secret_post', app.secret, { scope: 'core.invoice.read' })).rejects.toMatchObject({ error: 'invalid_client' });
});
