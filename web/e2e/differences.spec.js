// Credenza and oidc-provider answer the same requests. Where the answers differ, differences.json says why; a difference
// that is not listed fails, and so does a listed one that no longer happens.
import { expect, test } from '@playwright/test';
import { digest, known, readPage, split, table } from './differences.js';
import { foreignServer } from './foreign.js';
import { oddRequests, requestTo } from './odd-requests.js';
import { commandLineApp, send, withServer } from './ownserver.js';

/** Adds token(client), which buys one and fails when it gets none. */
const buying = (server) => ({
  ...server,
  async token({ id, secret }) {
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const answer = await fetch(server.endpoints.token, {
      method: 'POST', headers: { authorization }, body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'core.invoice.read' }),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()).access_token;
  },
});

async function credenza(server) {
  const scopes = ['core.invoice.read', 'core.invoice.write'];
  const app = await commandLineApp(server, 'Asked beside another server', scopes);
  return {
    issuer: server.url, api: `${server.url}/apis/coupa-core`, otherAPI: `${server.url}/apis/ccw`, basic: app, post: app,
    neighbour: await commandLineApp(server, 'Neighbour of that', scopes),
    endpoints: { token: `${server.url}/oauth2/token`, introspect: `${server.url}/oauth2/introspect`, revoke: `${server.url}/oauth2/revoke` },
  };
}

// Each request comes from an address of its own: whoever fails often is put off, which is not the question here.
const addresses = (function* next() {
  for (let i = 0; ; i += 1) yield `127.2.${i >> 8}.${i & 255}`;
}());

/** The answers of a server to every request, by name. */
async function answers(server) {
  const found = {};
  for (const row of oddRequests) {
    found[row.name] = digest(await send({ ...await requestTo(server, row), from: addresses.next().value }));
  }
  return found;
}

test('every answer that differs from that of oidc-provider is listed with its reason', async () => {
  test.setTimeout(120_000);
  const foreign = await foreignServer();
  const [theirs, ours] = await Promise.all([
    answers(buying(foreign)).finally(() => foreign.close()),
    withServer({}, async (server) => answers(buying(await credenza(server)))),
  ]);
  const differing = oddRequests.filter(({ name }) => ours[name] !== theirs[name])
    .map(({ name }) => ({ request: name, ours: ours[name], theirs: theirs[name] }));
  const { reasons, requests } = known();
  expect(differing).toEqual(requests.map(({ why, ...rest }) => rest));
  const used = new Set(requests.flatMap(({ why }) => why));
  expect([...used].toSorted()).toEqual(Object.keys(reasons).toSorted());
  expect(requests.filter(({ why }) => why.length === 0)).toEqual([]);
  expect(oddRequests.length).toBeGreaterThan(60);
});

test('docs/conformance.md shows the list', async () => {
  expect(split(readPage())[1]).toBe(table(known()));
});
