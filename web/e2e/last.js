// After all other tests: everything that was ever said, logged and stored is searched for secrets, and every answer is
// held against the rules that hold for all. Then the server is asked to end, and what it leaves is searched again.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, run, test, traffic } from './fixtures.js';
import { files, Finder } from './secrets.js';

const secretForm = /ccw[srt]_[0-9A-Za-z]{62}/g;
const randomness = (secret) => secret.slice(7, 50); // the 43 characters that nobody could guess (security.md §6.2)
const html = (exchanges) => exchanges.filter((exchange) => exchange.header('content-type').startsWith('text/html'));

/** Every file that the server wrote: database, journals, temporary files, what it printed. */
const written = () => files(...['data', 'tmp', 'home', 'out'].map((place) => join(run().dir, place)));

/** The secret that a request brought along in the header, as far as it has one. */
const presented = ({ requestHeaders: { authorization: [header] = [''] } }) => {
  const [, password = ''] = Buffer.from(/^Basic (.*)/.exec(header)?.[1] ?? '', 'base64').toString().split(':');
  return password.length > 20 ? [decodeURIComponent(password)] : [];
};

/** Everything confidential that went over the wire. secrets were shown there, presented ones may come from elsewhere. */
function confidential(exchanges) {
  const cookies = exchanges.flatMap((exchange) => exchange.headers['set-cookie'] ?? []).map((cookie) => cookie.split(/[=;]/)[1]);
  const tokens = exchanges.filter(({ path, status }) => path === '/oauth2/token' && status === 200).map(({ text }) => JSON.parse(text).access_token);
  return {
    secrets: new Set(exchanges.flatMap(({ text }) => text.match(secretForm) ?? [])),
    presented: new Set(exchanges.flatMap(presented)),
    tokens: new Set(tokens.flatMap((token) => [token, token.split('.')[2]])),
    sessions: new Set(cookies.filter((value) => value.length > 20)),
    links: new Set(exchanges.flatMap(({ url }) => /^\/people\/accept\?token=([^&]+)/.exec(url)?.[1] ?? [])),
  };
}

/** Says where anything confidential stands in files. Sessions and links are found by their SHA-256, so that may stand. */
function leaks({ secrets, presented: others, tokens, sessions, links }, from) {
  const finder = new Finder();
  const label = (kind) => (value, name) => `${kind} ${value.slice(0, 12)}… as ${name}`;
  const all = new Set([...secrets, ...others]);
  finder.addSpellings(all, label('secret'));
  finder.addSpellings([...all].map(randomness), label('randomness of secret'));
  finder.addSpellings(tokens, label('token'));
  finder.addSpellings(sessions, label('session'), ['sha256']);
  finder.addSpellings(links, label('link'), ['sha256']);
  return from.flatMap(({ path, bytes }) => finder.find(bytes).map((found) => `${found} in ${path}`));
}

test('every secret stands in exactly one answer, which nobody may keep (C13, UI3)', async () => {
  test.setTimeout(60_000);
  const exchanges = traffic();
  const { secrets } = confidential(exchanges);
  expect(secrets.size).toBeGreaterThan(0);
  const finder = new Finder();
  for (const secret of secrets) finder.add(secret, randomness(secret));
  const elsewhere = new Finder().addSpellings(secrets, (secret, name) => `${secret} as ${name}`, ['plain']);
  const shown = new Map([...secrets].map((secret) => [secret, []]));
  const faults = [];
  for (const exchange of exchanges) {
    for (const secret of finder.find(exchange.text)) shown.get(secret).push(exchange);
    const headers = JSON.stringify(exchange.headers);
    for (const found of [...finder.find(headers), ...elsewhere.find(headers), ...elsewhere.find(exchange.text)]) {
      faults.push(`${found} in ${exchange.name}`);
    }
  }
  expect(faults).toEqual([]);
  for (const [secret, answers] of shown) {
    expect(answers.map(({ name }) => name), secret).toEqual([expect.stringMatching(/^POST \/(apps(\/[0-9a-f-]+\/secrets\/new)?|hand-off) 200$/)]);
    expect(answers[0].header('cache-control')).toBe('no-store');
  }
});

test('secrets are sent to the token server, the test panel and the form for a pasted one only', async () => {
  const exchanges = traffic();
  const { secrets } = confidential(exchanges);
  const finder = new Finder();
  for (const secret of secrets) finder.add(secret, randomness(secret));
  const theirs = /^\/oauth2\/(token|introspect|revoke)$|^\/apps\/([0-9a-f-]{36}\/test|pasted)$/;
  const strangers = exchanges.filter(({ path, sent }) => !theirs.test(path) && finder.find(sent).length > 0);
  expect(strangers.map(({ name }) => name)).toEqual([]);
});

test('no log, database, journal or temporary file holds a secret, a token, a session or a link (C14, UI3)', async () => {
  test.setTimeout(60_000);
  const all = confidential(traffic());
  for (const [kind, values] of Object.entries(all)) expect(values.size, kind).toBeGreaterThan(0);
  const kept = written();
  expect(kept.map(({ path }) => path)).toEqual(expect.arrayContaining(
    [/data\/.*\.db$/, /\.db-wal$/, /out\/stdout$/, /out\/stderr$/].map((name) => expect.stringMatching(name))));
  expect(leaks(all, kept)).toEqual([]);
});

test('the search finds what it looks for', async () => {
  const secret = [...confidential(traffic()).secrets][0];
  const planted = [
    secret, `x${Buffer.from(`id:${secret}`).toString('base64')}`, Buffer.from(`ab${secret}`).toString('base64url'), Buffer.from(secret).toString('hex'),
  ].map((bytes, i) => ({ path: String(i), bytes }));
  const found = leaks({ secrets: [secret], presented: [], tokens: [], sessions: [], links: [] }, planted);
  for (const { path } of planted) expect(found.filter((line) => line.endsWith(` in ${path}`)).length, path).toBeGreaterThan(0);
});

test('the password is printed once and stored as a slow hash only', async () => {
  const password = run().env.CREDENZA_DEMO_PASSWORD;
  const kept = written();
  for (const { path, bytes } of kept) {
    expect(bytes.split(password).length - 1, path).toBe(path.endsWith('/out/stdout') ? 1 : 0);
  }
  const database = kept.filter(({ path }) => path.includes('/data/')).map(({ bytes }) => bytes).join('');
  expect(database).toContain('$argon2id$');
  expect(database).toMatch(/\$2[ab]\$1[0-4]\$/);
  expect(database).not.toMatch(/\$2[aby]\$0\d\$/);
});

test('the master key stands in its file only', async () => {
  const lines = readFileSync(run().env.CREDENZA_MASTER_KEY_FILE, 'latin1').split(/\s+/).filter((text) => text.length > 30);
  expect(lines.length).toBeGreaterThan(0);
  const finder = new Finder().addSpellings(lines, (_, name) => `the master key as ${name}`);
  expect(written().flatMap(({ path, bytes }) => finder.find(bytes).map((found) => `${found} in ${path}`))).toEqual([]);
});

test('the log holds one JSON object a line and no address, header or form', async () => {
  const text = readFileSync(join(run().dir, 'out', 'stderr'), 'utf8');
  expect(text).not.toMatch(/Mozilla|Bearer |Basic |grant_type=|password=|[?&]q=/);
  const entries = text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  expect(entries.filter(({ level }) => level === 'ERROR')).toEqual([]);
  const fields = new Set(entries.filter(({ msg }) => msg === 'request').map((entry) => Object.keys(entry).toSorted().join(' ')));
  expect([...fields]).toEqual(['duration level method msg request_id route status time']);
});

test('no answer was an error of the server', async () => {
  expect(traffic().filter(({ status }) => status >= 500).map(({ name }) => name)).toEqual([]);
});

/** Runs rule on each exchange; it returns what is wrong, if anything. */
const broken = (exchanges, rule) => {
  const faults = new Set();
  for (const exchange of exchanges) for (const fault of rule(exchange)) faults.add(`${exchange.name}: ${fault}`);
  return [...faults];
};

test('every answer carries the headers of ui.md §3.4 (C58)', async () => {
  const linked = ({ method, path }) => ['/people/accept', '/hand-off'].includes(path) || (method === 'POST' && /\/hand-offs\/new$/.test(path));
  const cached = ['/oauth2/jwks', '/.well-known/oauth-authorization-server'];
  expect(broken(traffic(), function* rule(exchange) {
    for (const [name, value] of [
      ['x-content-type-options', /^nosniff$/], ['content-security-policy', /^default-src 'none'/], ['permissions-policy', /camera=\(\)/],
      ['cross-origin-opener-policy', /^same-origin$/], ['cross-origin-resource-policy', /^same-origin$/], ['server', /^$/], ['x-powered-by', /^$/],
      ['referrer-policy', linked(exchange) ? /^no-referrer$/ : /^same-origin$/],
    ]) if (!value.test(exchange.header(name))) yield `${name}: ${exchange.header(name)}`;
    const asset = exchange.path.startsWith('/static/') && exchange.status === 200;
    const cache = exchange.header('cache-control');
    if (!cached.includes(exchange.path) && !(asset ? /immutable/ : /no-store/).test(cache)) yield `cache-control: ${cache}`;
  })).toEqual([]);
  const policies = new Set(html(traffic()).map((exchange) => exchange.header('content-security-policy')));
  for (const policy of policies) {
    expect(policy).not.toContain('unsafe');
    for (const part of [
      "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
      "require-trusted-types-for 'script'", 'report-uri /csp-report',
    ]) expect(policy).toContain(part);
  }
});

test('every cookie is out of reach of scripts and other sites (C59)', async () => {
  const cookies = new Set(traffic().flatMap((exchange) => exchange.headers['set-cookie'] ?? []));
  expect(cookies.size).toBeGreaterThan(0);
  for (const cookie of cookies) {
    const [, ...attributes] = cookie.split('; ');
    expect(attributes, cookie).toEqual(expect.arrayContaining(['Path=/', 'HttpOnly', 'SameSite=Lax']));
    expect(cookie).not.toMatch(/domain=/i);
  }
});

test('no page holds a style, a script or a handler of its own (UI2)', async () => {
  const pages = html(traffic());
  expect(pages.length).toBeGreaterThan(0);
  expect(broken(pages, function* rule({ text }) {
    for (const [tag] of text.matchAll(/<[a-z][^>]*>/gi)) {
      const bare = tag.replaceAll(/"[^"]*"|'[^']*'/g, '""');
      const own = /\s(style|on[a-z]+|srcdoc)\s*=/i.test(bare) || /^<(style|iframe|object|embed|base)\b/i.test(bare)
        || (/^<script/i.test(bare) && !/\ssrc="\/static\/[^"]+"/.test(tag))
        || /\s(href|src|action|formaction)="\s*(javascript|data|https?|\/\/)/i.test(tag);
      if (own) yield tag;
    }
  })).toEqual([]);
});

test('no page broke its policy but the one that was made to (UI2)', async () => {
  const reports = traffic().filter(({ path }) => path === '/csp-report');
  expect(reports.map((exchange) => exchange.sent).filter((sent) => !sent.includes('?provoked'))).toEqual([]);
});

test('the server ends when asked, and leaves no secret behind', async () => {
  test.setTimeout(60_000);
  const all = confidential(traffic());
  process.kill(run().pid, 'SIGTERM');
  const exit = join(run().dir, 'out', 'exit');
  await expect.poll(() => existsSync(exit), { timeout: 25_000 }).toBe(true);
  expect(readFileSync(exit, 'utf8')).toBe('0');
  const kept = written();
  expect(leaks(all, kept)).toEqual([]);
  expect(files(join(run().dir, 'tmp')).map(({ path }) => path)).toEqual([]);
});
