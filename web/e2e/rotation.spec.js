// Signing keys change while jose verifies tokens as an API does that holds the key set only. The 15 minutes that a new
// key waits before it signs are shown with a test's clock, in internal/keyring.
import { expect, test } from '@playwright/test';
import * as jose from 'jose';
import { asking, commandLineApp, form, send, withServer } from './ownserver.js';
import { command } from './server.js';

const rotate = (server, ...flags) => command(server, 'keys', 'rotate', ...flags, '--json');
const published = async (server) => JSON.parse((await send({ url: `${server.url}/oauth2/jwks` })).text).keys;
const kidsOf = (keys) => keys.map(({ kid }) => kid).toSorted();

async function buy(server, app) {
  const { status, text } = await send(asking(server.url, app));
  expect(status, text).toBe(200);
  return JSON.parse(text).access_token;
}

/** An API with a key set of its own: it fetches again when it meets a key it does not know. */
function verifier(server) {
  const keys = jose.createRemoteJWKSet(new URL(`${server.url}/oauth2/jwks`), { cooldownDuration: 0 });
  return (token) => jose.jwtVerify(token, keys, { issuer: server.url, audience: `${server.url}/apis/coupa-core`, typ: 'at+jwt', algorithms: ['ES256'] });
}

const own = async (server, token) => (await send({ url: `${server.url}/api/v1/apps/self`, headers: { authorization: `Bearer ${token}` } })).status;

const active = async (server, { id, secret }, token) => JSON.parse((await send({
  url: `${server.url}/oauth2/introspect`, method: 'POST', headers: form, body: new URLSearchParams({ client_id: id, client_secret: secret, token }).toString(),
})).text).active;

test('a planned rotation publishes new keys and refuses no token (C43c)', async () => {
  await withServer({}, async (server) => {
    const app = await commandLineApp(server, 'Sees a rotation', ['core.invoice.read']);
    const [early, verify] = [await buy(server, app), verifier(server)];
    const before = await published(server);
    await verify(early);
    const { made } = await rotate(server);
    await expect.poll(async () => kidsOf(await published(server))).toEqual(kidsOf([...before, ...made.map(({ id }) => ({ kid: id }))]));
    const signer = jose.decodeProtectedHeader(early).kid;
    for (const check of [verify, verifier(server)]) { // one that knows the old set, one that begins now
      const late = await buy(server, app);
      expect(jose.decodeProtectedHeader(late).kid).toBe(signer); // the new one waits until every API may know it
      for (const token of [early, late]) {
        await check(token);
        expect(await own(server, token)).toBe(200);
        expect(await active(server, app, token)).toBe(true);
      }
    }
    const states = (await command(server, 'keys', 'list', '--json')).filter(({ purpose }) => purpose === made[0].purpose).map(({ state }) => state);
    expect(states.toSorted()).toEqual(['next', 'next', 'signing', 'signing']); // ES256 and RS256
  });
});

test('keys that somebody else may hold are dropped at once, and their tokens with them (C43c)', async () => {
  test.setTimeout(90_000);
  await withServer({}, async (server) => {
    const app = await commandLineApp(server, 'Outlives its keys', ['core.invoice.read']);
    const verify = verifier(server);
    for (let round = 0; round < 3; round += 1) {
      const before = await published(server);
      const old = await buy(server, app);
      await verify(old);
      const { made, dropped } = await rotate(server, '--compromised');
      expect(kidsOf(before)).toEqual(dropped.map(({ id }) => id).toSorted());
      await expect.poll(() => own(server, old), { timeout: 3000 }).toBe(401);
      expect(await active(server, app, old)).toBe(false);
      expect(kidsOf(await published(server))).toEqual(made.map(({ id }) => id).toSorted());
      const fresh = await buy(server, app);
      expect(made.map(({ id }) => id)).toContain(jose.decodeProtectedHeader(fresh).kid);
      await verify(fresh); // meets an unknown key, fetches, and forgets the dropped one
      await expect(verify(old)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
      expect(await own(server, fresh)).toBe(200);
    }
  });
});

test('a new tag key refuses no secret', async () => {
  test.setTimeout(60_000);
  await withServer({}, async (server) => {
    const app = await commandLineApp(server, 'Keeps its secret', ['core.invoice.read']);
    await buy(server, app);
    await rotate(server, '--tag');
    await buy(server, app);
    await rotate(server, '--tag', '--compromised');
    await buy(server, app);
    await buy(server, await commandLineApp(server, 'Made under the new key', ['core.invoice.read']));
  });
});
