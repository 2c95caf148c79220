// jose as an API uses it that verifies tokens itself, with nothing but the key set; and forged tokens that jose makes,
// shown to our own API.
import { createPublicKey } from 'node:crypto';
import { createServer } from 'node:http';
import * as jose from 'jose';
import { expect, run, test } from './fixtures.js';
import { self, token } from './clients.js';
import { register } from './pages.js';

test.describe.configure({ mode: 'serial' });

let app;
let keys; // as an API holds them: fetched by address, kept, fetched again for a key ID it does not know
let issued; // a token for the API of invoices

const api = () => `${run().url}/apis/coupa-core`;
const expected = () => ({
  issuer: run().url, audience: api(), typ: 'at+jwt', algorithms: ['ES256'],
  requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti', 'scope'],
});
const verify = (text, changed = {}) => jose.jwtVerify(text, keys, { ...expected(), ...changed });

test('jose verifies a token with the key set alone (C36)', async ({ open }) => {
  app = await register(await open('admin'), { name: 'Verified by jose', scopes: ['core.invoice.read', 'ccw.candidates'] });
  const metadata = await (await fetch(`${run().url}/.well-known/oauth-authorization-server`)).json();
  keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
  issued = await token(app, 'core.invoice.read');
  const { payload, protectedHeader } = await verify(issued);
  expect(Object.keys(protectedHeader).toSorted()).toEqual(['alg', 'kid', 'typ']);
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
  expect(payload).toMatchObject({
    iss: run().url, sub: app.clientID, client_id: app.clientID, aud: api(), scope: 'core.invoice.read', exp: payload.iat + 3600,
  });
  expect(payload.jti.length).toBeGreaterThanOrEqual(22);
});

test('jose refuses what is not for this API, not of this issuer, or not whole', async () => {
  await expect(verify(issued, { audience: `${run().url}/apis/ccw` })).rejects.toMatchObject({ code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'aud' });
  await expect(verify(issued, { issuer: `${run().url}/` })).rejects.toMatchObject({ claim: 'iss' });
  await expect(verify(issued, { typ: 'JWT' })).rejects.toMatchObject({ claim: 'typ' });
  await expect(verify(issued, { currentDate: new Date(Date.now() + 3_700_000) })).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  const [header, payload, signature] = issued.split('.');
  const other = Buffer.from(JSON.stringify({ ...jose.decodeJwt(issued), scope: 'core.invoice.write' })).toString('base64url');
  await expect(verify([header, other, signature].join('.'))).rejects.toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  await expect(verify([header, payload].join('.'))).rejects.toMatchObject({ code: 'ERR_JWS_INVALID' });
});

test('the key set holds public keys only, each named by its thumbprint (C42)', async () => {
  const answer = await fetch(`${run().url}/oauth2/jwks`);
  const { keys: list } = await answer.json();
  const members = { EC: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], RSA: ['alg', 'e', 'kid', 'kty', 'n', 'use'] };
  expect(list.length).toBeGreaterThan(0);
  for (const jwk of list) {
    expect(Object.keys(jwk).toSorted()).toEqual(members[jwk.kty]);
    expect(jwk.use).toBe('sig');
    expect(await jose.calculateJwkThumbprint(jwk)).toBe(jwk.kid);
    if (jwk.kty === 'RSA') expect(Buffer.from(jwk.n, 'base64url').length).toBeGreaterThanOrEqual(384); // 3072 bits, C43b
  }
  expect(new Set(list.map(({ kid }) => kid)).size).toBe(list.length);
  const again = await fetch(answer.url, { headers: { 'if-none-match': answer.headers.get('etag') } });
  expect([answer.headers.get('cache-control'), again.status]).toEqual(['public, max-age=300', 304]);
});

/** What our own API says to a token, which must be a whole refusal. */
async function refused(text, label) {
  const answer = await fetch(`${run().url}/api/v1/apps/self`, { headers: { authorization: `Bearer ${text}` } });
  expect.soft(answer.status, label).toBe(401);
  expect.soft(answer.headers.get('www-authenticate'), label).toBe('Bearer realm="credenza", error="invalid_token"');
  expect.soft(await answer.text(), label).not.toContain(app.clientID);
}

test('our API refuses tokens that jose forges with what everybody can see (C37, C38)', async () => {
  let visits = 0;
  const outside = createServer((_, answer) => { visits += 1; answer.end('{"keys":[]}'); });
  await new Promise((resolve) => { outside.listen(0, '127.0.0.1', resolve); });
  const address = `http://127.0.0.1:${outside.address().port}/keys`;
  try {
    const claims = jose.decodeJwt(issued);
    const { kid } = jose.decodeProtectedHeader(issued);
    const { keys: published } = await (await fetch(`${run().url}/oauth2/jwks`)).json();
    for (const jwk of published) {
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      for (const [label, bytes] of Object.entries({
        PEM: key.export({ format: 'pem', type: 'spki' }), DER: key.export({ format: 'der', type: 'spki' }),
        JWK: JSON.stringify(jwk), number: Buffer.from(jwk.x ?? jwk.n, 'base64url'), 'key ID': jwk.kid,
      })) {
        const forged = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: jwk.kid, typ: 'at+jwt' }).sign(Buffer.from(bytes));
        await refused(forged, `HS256 with the ${label} of the ${jwk.alg} key`);
      }
    }
    for (const alg of ['none', 'None', 'nOnE', 'HS256', 'ES384', 'RS256']) {
      const header = Buffer.from(JSON.stringify({ alg, kid, typ: 'at+jwt' })).toString('base64url');
      const [, payload, signature] = issued.split('.');
      for (const end of ['', signature]) await refused(`${header}.${payload}.${end}`, `${alg} ${end && 'with the signature'}`);
    }
    const { privateKey, publicKey } = await jose.generateKeyPair('ES256');
    const rsa = await jose.generateKeyPair('RS256');
    await refused(await new jose.SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'at+jwt' }).sign(rsa.privateKey), 'RS256 with the kid');
    const jwk = await jose.exportJWK(publicKey);
    for (const [label, more] of Object.entries({
      'the same header': {}, jwk: { jwk }, jku: { jku: address }, x5u: { x5u: address }, x5c: { x5c: ['MIIB'] }, 'no kid': { kid: undefined },
      'a path': { kid: '../../dev/null' }, SQL: { kid: "' OR 1=1 --" }, 'a long kid': { kid: 'k'.repeat(2000) }, 'an address': { kid: address },
    })) {
      const forged = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...more }).sign(privateKey);
      await refused(forged, `own key with ${label}`);
    }
    expect(visits).toBe(0);
    expect((await self(issued)).status).toBe(200);
  } finally {
    await new Promise((resolve) => { outside.close(resolve); });
  }
});

test('introspection says nothing of a forged token but that it is not active (C35d)', async () => {
  const { privateKey } = await jose.generateKeyPair('ES256');
  const forged = await new jose.SignJWT(jose.decodeJwt(issued)).setProtectedHeader(jose.decodeProtectedHeader(issued)).sign(privateKey);
  for (const text of [forged, issued.slice(0, -1), `${issued}.`, 'x']) {
    const answer = await fetch(`${run().url}/oauth2/introspect`, {
      method: 'POST', body: new URLSearchParams({ client_id: app.clientID, client_secret: app.secret, token: text }),
    });
    expect([answer.status, await answer.text()]).toEqual([200, '{"active":false}']);
  }
});
