// bin/credenza as a stranger sees it, who sends what no client would: forged headers, wrong methods, paths of other
// products. Each test has a server of its own.
import net from 'node:net';
import { createServer } from 'node:http';
import { expect, test } from '@playwright/test';
import { withNginx } from './nginx.js';
import { asking, commandLineApp, form, readsInvoices, send, withServer } from './ownserver.js';
import { freeAddress } from './server.js';

/** Sends bytes as they stand and returns all that comes back until the other end closes, or the first answer's head. */
const raw = (address, text) => new Promise((resolve, reject) => {
  const [host, port] = address.split(':');
  const socket = net.connect(port, host, () => socket.write(text));
  let got = '';
  socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
  socket.on('data', (bytes) => { got += bytes; if (got.includes('\r\n\r\n')) socket.end(); });
  socket.on('close', () => resolve(got)).on('error', reject);
});

test('no answer allows another origin to read it (C60)', async () => {
  await withServer({}, async (server) => {
    const app = await commandLineApp(server, 'Read from elsewhere', ['core.invoice.read']);
    const { access_token: token } = JSON.parse((await send(asking(server.url, app))).text);
    const paths = ['/', '/apps', '/signin', '/static/nothing', '/oauth2/token', '/oauth2/jwks', '/oauth2/introspect',
      '/oauth2/revoke', '/.well-known/oauth-authorization-server', '/api/v1/apps/self', '/csp-report'];
    for (const origin of ['https://evil.example', 'null', server.url, 'http://localhost:3000']) {
      for (const path of paths) {
        const preflight = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' };
        for (const request of [
          { method: 'GET', headers: { origin, authorization: `Bearer ${token}` } },
          { method: 'OPTIONS', headers: { ...preflight, 'access-control-request-private-network': 'true' } },
          asking(server.url, app, { headers: { origin } }),
        ]) {
          const { status, raw: headers } = await send({ ...request, url: server.url + path });
          const label = `${request.method} ${path} from ${origin}`;
          expect(headers.filter((text, i) => i % 2 === 0 && /^access-control-/i.test(text)), label).toEqual([]);
          if (request.method === 'OPTIONS') expect([204, 404, 405], label).toContain(status);
        }
      }
    }
  });
});

test('a page of another origin reads nothing in a browser, the key set neither (C60)', async ({ browser }) => {
  const elsewhere = createServer((_, answer) => { answer.setHeader('content-type', 'text/html').end('<title>Elsewhere</title>'); });
  await new Promise((resolve) => { elsewhere.listen(0, '127.0.0.1', resolve); });
  const context = await browser.newContext();
  try {
    await withServer({}, async (server) => {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
      for (const path of ['/oauth2/jwks', '/.well-known/oauth-authorization-server', '/oauth2/token', '/signin', '/api/v1/apps/self']) {
        const got = await page.evaluate(async (url) => {
          try { return (await (await fetch(url)).text()).length; } catch { return 'nothing'; }
        }, server.url + path);
        expect(got, path).toBe('nothing');
      }
    });
  } finally {
    await context.close();
    elsewhere.closeAllConnections();
    elsewhere.close();
  }
});

test('only what is meant for the public is there (C77)', async () => {
  await withServer({}, async (server, admin) => {
    const missing = [
      '/metrics', '/livez', '/readyz', '/debug/pprof/', '/debug/pprof/heap', '/debug/vars', '/debug/pprof/cmdline', '/.git/', '/.git/HEAD',
      '/.git/config', '/.env', '/.well-known/', '/.well-known/openid-configuration', '/static/', '/static', '/templates/', '/data/credenza.db', '/go.mod', '/server-status',
      '/gateway/ccw/nginx', '/swagger', '/actuator/health', '/admin', '/static/../go.mod', '/static/..%2fgo.mod', '/static/%2e%2e/go.mod',
      '/oauth2/', '/oauth2/token/', '/api/', '/api/v1/', '//metrics', '/static//', '/index.php',
    ];
    for (const path of missing) {
      const { status, headers, text } = await send({ url: server.url + path });
      expect(status, path).toBe(404);
      expect(text, path).not.toMatch(/goroutine|go_gc|module credenza|<pre>/);
      for (const name of ['server', 'x-powered-by', 'via', 'x-aspnet-version']) expect(headers[name], `${name} of ${path}`).toBeUndefined();
    }
    const address = server.url.slice('http://'.length);
    for (const method of ['TRACE', 'TRACK', 'CONNECT', 'DEBUG', 'PROPFIND', 'BREW']) {
      for (const path of ['/', '/signin', '/oauth2/token', '/oauth2/jwks', '/api/v1/apps/self', '/static/x']) {
        const answer = await raw(address, `${method} ${path} HTTP/1.1\r\nHost: ${address}\r\nX-Canary: canary-of-trace\r\nContent-Length: 0\r\n\r\n`);
        expect(answer, `${method} ${path}`).toMatch(/^HTTP\/1\.1 (400|404|405) /);
        expect(answer).not.toContain('canary-of-trace');
      }
    }
    for (const path of ['/metrics', '/livez', '/readyz', '/debug/pprof/']) expect((await send({ url: admin + path })).status, path).toBe(200);
    for (const path of ['/', '/oauth2/token', '/signin', '/oauth2/jwks']) expect((await send({ url: admin + path })).status, path).toBe(404);
  });
});

test('the metadata names what is there, and all of that answers (C82)', async () => {
  await withServer({}, async (server) => {
    const at = (path) => send({ url: server.url + path });
    const { status, headers, text } = await at('/.well-known/oauth-authorization-server');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    const metadata = JSON.parse(text);
    expect(metadata.issuer).toBe(server.url);
    for (const path of ['/.well-known/oauth-authorization-server/', '/.well-known/oauth-authorization-server/x']) {
      expect((await at(path)).status, path).toBe(404);
    }
    const endpoints = Object.entries(metadata).filter(([name]) => /(_endpoint|_uri)$/.test(name));
    expect(endpoints.map(([name]) => name).toSorted()).toEqual(['introspection_endpoint', 'jwks_uri', 'revocation_endpoint', 'token_endpoint']);
    for (const [name, url] of endpoints) {
      expect(url.startsWith(`${server.url}/`), name).toBe(true);
      const got = await send({ url, ...(name.endsWith('_endpoint') && { method: 'POST', headers: form, body: '' }) });
      expect([name, got.status, got.headers['content-type']]).toEqual([name, name === 'jwks_uri' ? 200 : got.status === 401 ? 401 : 400, 'application/json']);
    }
    for (const [name, value] of Object.entries(metadata)) {
      if (Array.isArray(value)) expect(value.length, name).toBeGreaterThan(0);
      expect(JSON.stringify(value), name).not.toMatch(/"(none|HS\d+)"/);
    }
    // What it says of the ways to authenticate holds, and what it does not say does not.
    const app = await commandLineApp(server, 'Reads the metadata', ['core.invoice.read']);
    expect(metadata.token_endpoint_auth_methods_supported.toSorted()).toEqual(['client_secret_basic', 'client_secret_post']);
    expect((await send(asking(server.url, app))).status).toBe(200);
    const inBody = { url: metadata.token_endpoint, method: 'POST', headers: form, body: `${readsInvoices}&client_id=${app.id}&client_secret=${app.secret}` };
    expect((await send(inBody)).status).toBe(200);
    expect(metadata.grant_types_supported).toEqual(['client_credentials']);
    const { keys } = JSON.parse((await send({ url: metadata.jwks_uri })).text);
    expect(keys.length).toBeGreaterThan(0);
  });
});

const forged = (i) => ({
  'x-forwarded-for': `198.51.100.${i}`, 'x-real-ip': `198.51.100.${i}`, 'true-client-ip': `198.51.100.${i}`, 'cf-connecting-ip': `198.51.100.${i}`,
  'x-client-ip': `198.51.100.${i}`, forwarded: `for=198.51.100.${i};host=evil.example;proto=https`, 'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https', 'x-forwarded-server': 'evil.example', 'x-original-url': '/evil', 'x-rewrite-url': '/evil', 'x-host': 'evil.example',
});

/** The networks that the log names in the lines of issued tokens. */
const networks = (server) => new Set(server.printed.stderr.split('\n').filter(Boolean).map((line) => JSON.parse(line))
  .filter(({ msg }) => msg === 'token issued').map(({ network }) => network));

/** Everything a stranger can get with forged headers, at a URL; what it says of itself must be url. */
async function unmoved(at, { server, url, app, from }) {
  const plain = await send({ url: `${at}/.well-known/oauth-authorization-server`, from });
  for (let i = 1; i <= 8; i += 1) {
    const headers = forged(i);
    const metadata = await send({ url: `${at}/.well-known/oauth-authorization-server`, headers, from });
    expect(metadata.text).toBe(plain.text);
    expect(JSON.parse(metadata.text).issuer).toBe(url);
    const bought = await send(asking(at, app, { headers, from }));
    expect(bought.status).toBe(200);
    const [, claims] = JSON.parse(bought.text).access_token.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url')).iss).toBe(url);
    for (const path of ['/', '/signin', '/apps?q=x', '/nowhere']) {
      for (const host of [undefined, 'evil.example', 'evil.example:80@x']) {
        const answer = await send({ url: at + path, headers: { ...headers, ...(host && { host }) }, from });
        expect(JSON.stringify(answer.headers) + answer.text, `${path} as ${host}`).not.toMatch(/evil|198\.51\.100/);
      }
    }
    const signin = await send({
      url: `${at}/signin`, method: 'POST', headers: { ...form, ...headers, origin: url, 'sec-fetch-site': 'same-origin', host: url.slice('http://'.length) },
      body: new URLSearchParams({ email: 'admin@acme.example', password: server.env.CREDENZA_DEMO_PASSWORD }).toString(), from,
    });
    expect([signin.status, signin.headers.location]).toEqual([303, '/']);
    for (const cookie of signin.headers['set-cookie']) expect(cookie).toMatch(/; Path=\/.*; HttpOnly; SameSite=Lax$/);
    expect(signin.headers['set-cookie'].join()).not.toMatch(/domain|secure/i); // http on loopback
  }
}

test('forged headers move no issuer, link, cookie or counter without a proxy (C61)', async () => {
  await withServer({}, async (server) => {
    const app = await commandLineApp(server, 'Behind nothing', ['core.invoice.read']);
    await unmoved(server.url, { server, url: server.url, app, from: '127.4.0.1' });
    await expect.poll(() => [...networks(server)]).toEqual(['127.4.0.0/24']);
  });
});

test('sign-ins that fail count for one address, whatever it says of itself (C61)', async () => {
  await withServer({}, async (server) => {
    const signIn = (i, from) => send({
      url: `${server.url}/signin`, method: 'POST', from, headers: { ...form, ...forged(i), origin: server.url, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ email: `nobody-${i}@acme.example`, password: 'not the password' }).toString(),
    });
    const answers = [];
    for (let i = 1; i <= 40; i += 1) answers.push(await signIn(i, '127.7.0.1'));
    expect(answers[0].status).toBe(401);
    const limited = answers.find(({ status }) => status === 429);
    expect(limited?.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect((await signIn(42, '127.7.0.2')).status).toBe(401);
  });
});

for (const trusted of [true, false]) {
  test(`behind nginx ${trusted ? 'that is trusted its' : 'that is not named the'} peer counts, and nothing that the client forged (C61)`, async () => {
    const [listen, target] = [await freeAddress(), await freeAddress()];
    const url = `http://${listen}`;
    const settings = { CREDENZA_ADDR: target, CREDENZA_PUBLIC_URL: url, ...(trusted && { CREDENZA_TRUSTED_PROXIES: '127.0.0.1' }) };
    await withServer(settings, (server) => withNginx({ listen, target }, async () => {
      const app = await commandLineApp(server, 'Behind nginx', ['core.invoice.read']);
      await unmoved(url, { server, url, app, from: '127.5.0.1' });
      await expect.poll(() => [...networks(server)]).toEqual([trusted ? '127.5.0.0/24' : '127.0.0.0/24']);
      // Whoever is no trusted proxy is not believed, whatever the setting.
      await send(asking(`http://${target}`, app, { from: '127.6.0.1', headers: forged(9) }));
      await expect.poll(() => [...networks(server)]).toContain('127.6.0.0/24');
    }));
  });
}
