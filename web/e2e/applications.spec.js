// openid-client, as applications use it: it discovers, keeps what it learned in a configuration, and says errors its own
// way. What it makes of an answer is what developers see.
import * as client from 'openid-client';
import { credenza, expect, run, test } from './fixtures.js';
import { register } from './pages.js';

test.describe.configure({ mode: 'serial' });

const ways = { basic: client.ClientSecretBasic, post: client.ClientSecretPost };
let app; // clientID, secret
let other; // of the same organisation

test('apps for openid-client', async ({ open }) => {
  const page = await open('admin');
  app = await register(page, { name: 'Application of openid-client', scopes: ['core.invoice.read', 'core.invoice.write', 'ccw.candidates'] });
  other = await register(page, { name: 'Neighbour of openid-client' });
});

/** What an application does at its start. way is 'basic' or 'post'. */
const discover = (who, way, secret = who.secret) => client.discovery(
  new URL(run().url), who.clientID, {}, ways[way](secret), { algorithm: 'oauth2', execute: [client.allowInsecureRequests] });

/** What went wrong, as far as an application can see it. */
const failure = async (promise) => {
  const error = await promise.then(() => { throw new Error('no error came'); }, (reason) => reason);
  return { code: error.code, status: error.status ?? error.response?.status, error: error.error };
};

for (const way of Object.keys(ways)) {
  test(`an application with ${way} gets, uses, looks at and revokes a token`, async () => {
    const config = await discover(app, way);
    expect(config.serverMetadata()).toMatchObject({ issuer: run().url, jwks_uri: `${run().url}/oauth2/jwks` });

    const bought = await client.clientCredentialsGrant(config, { scope: 'core.invoice.read' });
    expect(bought).toMatchObject({ token_type: 'bearer', scope: 'core.invoice.read', expires_in: 3600 });
    expect(bought.expiresIn()).toBeGreaterThan(3500);
    expect(bought.refresh_token).toBeUndefined();

    const answer = await client.fetchProtectedResource(config, bought.access_token, new URL('/api/v1/apps/self', run().url), 'GET');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ client_id: app.clientID });

    expect(await client.tokenIntrospection(config, bought.access_token, { token_type_hint: 'access_token' })).toMatchObject({
      active: true, client_id: app.clientID, sub: app.clientID, iss: run().url, scope: 'core.invoice.read', token_type: 'Bearer',
    });
    await client.tokenRevocation(config, bought.access_token, { token_type_hint: 'refresh_token' });
    await client.tokenRevocation(config, bought.access_token); // ending what has ended is no error
    expect(await client.tokenIntrospection(config, bought.access_token)).toEqual({ active: false });
    expect(await failure(client.fetchProtectedResource(config, bought.access_token, new URL('/api/v1/apps/self', run().url), 'GET')))
      .toMatchObject({ code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE', status: 401 });
  });
}

test('an application names the API by its resource', async () => {
  const config = await discover(app, 'basic');
  for (const [api, scope] of [['coupa-core', 'core.invoice.read core.invoice.write'], ['ccw', 'ccw.candidates']]) {
    const resource = `${run().url}/apis/${api}`;
    const bought = await client.clientCredentialsGrant(config, { resource });
    expect(bought.scope).toBe(scope);
    expect(await client.tokenIntrospection(config, bought.access_token)).toMatchObject({ active: true, aud: resource });
  }
});

test('an application learns which of its parameters was wrong', async () => {
  const config = await discover(app, 'post');
  for (const [parameters, error] of [
    [{ scope: 'core.supplier.write' }, 'invalid_scope'], [{ scope: 'no.such.scope' }, 'invalid_scope'],
    [{ scope: 'core.invoice.read  core.invoice.write' }, 'invalid_scope'], [{ scope: 'core.invoice.read ccw.candidates' }, 'invalid_scope'],
    [{ scope: 'ccw.candidates', resource: `${run().url}/apis/coupa-core` }, 'invalid_scope'],
    [{ resource: 'https://elsewhere.example/' }, 'invalid_target'], [{ resource: '/apis/ccw' }, 'invalid_target'],
    [{}, 'invalid_scope'], // two APIs, and no default one
  ]) {
    expect(await failure(client.clientCredentialsGrant(config, parameters)), JSON.stringify(parameters)).toEqual({
      code: 'OAUTH_RESPONSE_BODY_ERROR', status: 400, error,
    });
  }
  expect(await failure(client.genericGrantRequest(config, 'password', { username: 'a', password: 'b' }))).toMatchObject({
    status: 400, error: 'unsupported_grant_type',
  });
});

test('a wrong secret is invalid_client, which the challenge hides from applications with basic', async () => {
  const wrong = app.secret.slice(0, -1) + (app.secret.endsWith('a') ? 'b' : 'a');
  for (const secret of [wrong, other.secret]) {
    const inBody = await discover(app, 'post', secret);
    const inHeader = await discover(app, 'basic', secret);
    for (const ask of [
      (config) => client.clientCredentialsGrant(config, { scope: 'core.invoice.read' }),
      (config) => client.tokenIntrospection(config, 'x'), (config) => client.tokenRevocation(config, 'x'),
    ]) {
      expect(await failure(ask(inBody))).toEqual({ code: 'OAUTH_RESPONSE_BODY_ERROR', status: 401, error: 'invalid_client' });
      expect(await failure(ask(inHeader))).toEqual({ code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE', status: 401, error: undefined });
    }
  }
});

test("another application's token is none to look at, and none to revoke", async () => {
  const [config, neighbour] = [await discover(app, 'basic'), await discover(other, 'basic')];
  const { access_token: token } = await client.clientCredentialsGrant(config, { scope: 'ccw.candidates' });
  expect(await client.tokenIntrospection(neighbour, token)).toEqual({ active: false });
  expect(await failure(client.tokenRevocation(neighbour, token))).toMatchObject({ status: 400, error: 'invalid_request' });
  expect(await client.tokenIntrospection(config, token)).toMatchObject({ active: true });
});

test('an API looks at the tokens that are for it, of every organisation, and gets none itself', async () => {
  const made = await credenza('app', 'create', '--org', 'platform', '--name', 'Invoice API', '--resource-server', 'coupa-core', '--json');
  const api = { clientID: made.client_id, secret: made.client_secret };
  const config = await discover(app, 'basic');
  for (const way of Object.keys(ways)) {
    const server = await discover(api, way);
    const { access_token: forIt } = await client.clientCredentialsGrant(config, { scope: 'core.invoice.read' });
    const { access_token: forOthers } = await client.clientCredentialsGrant(config, { scope: 'ccw.candidates' });
    expect(await client.tokenIntrospection(server, forIt)).toMatchObject({
      active: true, client_id: app.clientID, aud: `${run().url}/apis/coupa-core`, scope: 'core.invoice.read', org: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await client.tokenIntrospection(server, forOthers)).toEqual({ active: false });
    await client.tokenRevocation(config, forIt);
    expect(await client.tokenIntrospection(server, forIt)).toEqual({ active: false });
    expect(await failure(client.clientCredentialsGrant(server, { scope: 'core.invoice.read' }))).toMatchObject({ status: 400, error: 'unauthorized_client' });
  }
});

test('an application that does without the secret gets nothing', async () => {
  const config = await client.discovery(new URL(run().url), app.clientID, {}, client.None(), {
    algorithm: 'oauth2', execute: [client.allowInsecureRequests],
  });
  expect(await failure(client.clientCredentialsGrant(config, { scope: 'core.invoice.read' }))).toMatchObject({
    status: 401, error: 'invalid_client',
  });
});
