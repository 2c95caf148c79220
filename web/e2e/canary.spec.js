// The canary run (C72): a string of its own in every input of a server that logs all it can, then a search through all
// that it said, logged, counted and stored. Pages are walked by their own links and forms, so a new page is in it.
import net from 'node:net';
import { once } from 'node:events';
import { expect, test } from '@playwright/test';
import { Canaries, forgery, read } from './canaries.js';
import { Mailbox } from './mailbox.js';
import { commandLineApp, form, send, withServer } from './ownserver.js';
import { withPostgres } from './postgres.js';
import { files } from './secrets.js';
import { run as runProgram, binary } from './server.js';

const base64 = (text) => Buffer.from(text).toString('base64');
const basic = (id, secret) => `Basic ${base64(`${id}:${secret}`)}`;
const encode = (pairs) => new URLSearchParams(pairs).toString();

/** One run against one server: what was put in, and what came out. */
class Run {
  canaries = new Canaries();
  refusals = []; // every answer that refuses, as a place to search
  commands = ''; // what the command line logged
  sent = 0;
  shown = new Map(); // the secrets that the product made, and which answers showed each
  handOffs = []; // the paths of links that were made for others

  constructor({ server, admin, page }) {
    Object.assign(this, { server, admin, page });
  }

  /** Takes note of secrets and links that the product made. */
  #note(request, text) {
    for (const secret of new Set(text.match(/ccws_[0-9A-Za-z]{62}/g))) {
      if (!this.shown.has(secret)) this.canaries.known(`a secret of ${request}`, secret);
      this.shown.set(secret, [...this.shown.get(secret) ?? [], request]);
    }
    for (const [path, token] of text.matchAll(/\/hand-off\?token=([\w-]+)/g)) {
      if (this.handOffs.includes(path)) continue;
      this.handOffs.push(path);
      this.canaries.hashed('the token of a hand-off', token);
    }
  }

  /** Sends to the public listener; what refuses may repeat no secret canary. */
  async send(path, request = {}) {
    this.sent += 1;
    // From an address of its own: who fails often is put off before anything is read.
    const answer = await send({ from: `127.8.${this.sent >> 8}.${this.sent & 255}`, ...request, url: this.server.url + path });
    expect(answer.status, `${request.method ?? 'GET'} ${path}`).toBeLessThan(500);
    this.#note(`${request.method ?? 'GET'} ${kindOf(path)}`, answer.text);
    if (answer.status >= 400 && !path.startsWith('/people/accept')) { // its form gives the link's token back
      this.refusals.push({
        path: `${answer.status} of ${request.method ?? 'GET'} ${path.slice(0, 60)}`,
        bytes: answer.text + JSON.stringify({ ...answer.headers, 'set-cookie': '' }),
      });
    }
    return answer;
  }

  post(path, pairs, request = {}) {
    return this.send(path, {
      method: 'POST', body: encode(pairs), ...request,
      headers: { ...form, origin: this.server.url, 'sec-fetch-site': 'same-origin', ...request.headers },
    });
  }
}

/** Every flag of the command line that takes a text, rightly and wrongly. */
async function commandLine(run) {
  const { canaries: { text }, server } = run;
  const call = async (...args) => {
    const done = await runProgram(binary, args, { cwd: server.dir, env: server.env });
    run.commands += done.stderr;
    return done;
  };
  const scope = ['--scope', 'core.invoice.read'];
  const whole = await call(
    'app', 'create', '--org', 'acme', '--name', text('--name'), '--description', text('--description'), '--label', text('--label'), ...scope,
    '--contact-first-name', text('--contact-first-name'), '--contact-last-name', text('--contact-last-name'),
    '--contact-email', `${text('--contact-email')}@acme.example`, '--json');
  expect(whole.code, whole.stderr).toBe(0);
  run.canaries.known('the secret of the command line', JSON.parse(whole.stdout).client_secret);
  for (const flag of ['org', 'name', 'category', 'scope', 'expires', 'api-user', 'default-api', 'contact-email', 'description']) {
    const args = { org: 'acme', name: 'Canary', scope: 'core.invoice.read', [flag]: text(`a wrong --${flag}`) + forgery };
    await call('app', 'create', ...Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]));
  }
  for (const args of [['app', 'show'], ['app', 'rotate'], ['app', 'delete'], ['app', 'activate'], ['org', 'create', '--name'], ['migrate'], []]) {
    await call(...args, text(`an argument of ${args.join(' ')}`) + forgery);
  }
  const person = await call('person', 'create', '--org', 'acme', '--email', `${text('--email')}@acme.example`, '--first-name', text('--first-name'), '--last-name', text('--last-name'), '--json');
  expect(person.code, person.stderr).toBe(0);
  return new URL(JSON.parse(person.stdout).signin_link, server.url);
}

/** Signs a person in and returns the headers that the browser would send. */
async function signIn(run, email) {
  const answer = await run.post('/signin', { email, password: run.server.env.CREDENZA_DEMO_PASSWORD });
  expect(answer.status).toBe(303);
  const cookies = answer.headers['set-cookie'].map((cookie) => cookie.split(';')[0]);
  for (const cookie of cookies) run.canaries.hashed(`a cookie of ${email}`, decodeURIComponent(cookie.split('=')[1]));
  return { cookie: cookies.join('; ') };
}

/** What a browser would send of the fields of a form. */
const asSent = (fields) => Object.fromEntries(fields.filter(({ sent }) => sent).map(({ name, value }) => [name, value]));

/** An app as the form makes it, with a canary in each text. Returns its page. */
async function register(run, headers) {
  const { text } = run.canaries;
  const { forms } = await read(run.page, (await run.send('/apps/new', { headers })).text);
  const { fields } = forms.find(({ action }) => action === '/apps');
  const answer = await run.post('/apps', {
    ...asSent(fields), name: text('name'), description: text('description'), category: 'customer', first_name: text('first name'), last_name: text('last name'),
    email: `${text('e-mail')}@acme.example`, scope: 'core.invoice.read', api_user: await apiUser(run, headers), do: 'save',
  }, { headers });
  expect(answer.status, answer.text.replaceAll(/<[^>]+>/g, ' ').slice(0, 2000)).toBe(200);
  const [secret] = /ccws_[0-9A-Za-z]{62}/.exec(answer.text);
  const [, id] = /\/apps\/([0-9a-f-]{36})/.exec(answer.text);
  const [, clientID] = /value="(CCW[A-Z0-9]+_[0-9a-z]+)"/.exec(answer.text);
  return { id, clientID, secret };
}

async function apiUser(run, headers) {
  const { text } = await run.post('/apps/new', { category: 'customer' }, { headers });
  return run.page.evaluate((html) => {
    const parsed = new DOMParser().parseFromString(html, 'text/html');
    return [...parsed.querySelectorAll('select[name="api_user"] option')].map(({ value }) => value).find(Boolean);
  }, text);
}

/** The address with IDs exchanged, by which two pages of one kind are recognised. */
const kindOf = (path) => path.split('?')[0].replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ':id').replace(/^\/scopes\/(?!add$)[^/]+/, '/scopes/:name');

/**
 * Sends the i-th form of a page again and again, each time with a canary in another field and the rest as it stands then.
 * Returns where the answers lead.
 */
async function fill(run, headers, { path, i }) {
  const { text, secret } = run.canaries;
  const leads = new Set(); // where the answers lead
  const current = async () => (await read(run.page, (await run.send(path, { headers })).text)).forms[i];
  const post = async (changed) => {
    const now = await current();
    if (now) leads.add((await run.post(now.action || path, { ...asSent(now.fields), ...changed }, { headers })).headers.location ?? '');
  };
  const { action, fields } = await current();
  const target = kindOf(action || path);
  for (const { name, type } of fields) {
    const kind = type === 'password' || name === 'token' ? secret : text;
    for (const more of ['', forgery]) await post({ [name]: kind(`the field ${name} of ${target}`) + more });
  }
  await post({ [secret(`a field beside those of ${target}`)]: secret('its value') });
  return leads;
}

/** Many apps at once, rightly and wrongly, since what a form answers is no page to walk to. Returns the page of the work. */
async function bulk(run, headers, { id }) {
  const { text } = run.canaries;
  const whole = () => ({
    act: 'reassign', ids: id, contact_first_name: text('first name in bulk'), contact_last_name: text('last name in bulk'),
    contact_email: `${text('e-mail in bulk')}@acme.example`, mail_subject: text('subject in bulk'), mail_text: text('text in bulk'),
  });
  const answers = [];
  for (const path of ['/apps/bulk', '/apps/bulk/start']) {
    for (const name of ['act', 'ids', 'contact_first_name', 'contact_email', 'q', 'sort', 'confirmed']) {
      answers.push(await run.post(path, { ...whole(), [name]: text(`${name} at ${path}`) + forgery }, { headers }));
    }
  }
  return answers.map((answer) => answer.headers.location ?? '').find((to) => to.startsWith('/jobs/'));
}

/** Walks all pages by their links; on each, every form with a canary in each field alone, and every parameter. */
async function walk(run, headers, start) {
  const { secret, query } = run.canaries;
  const seen = new Map();
  const todo = [...start];
  const parameters = new Set(['q', 'next', 'hint', 'name', 'sort', 'dir', 'page', 'cursor', 'category', 'token', 'unheard_of']);
  while (todo.length > 0) {
    const path = todo.shift();
    if (seen.has(kindOf(path)) || seen.size > 60) continue;
    const { text: html, headers: { location }, status } = await run.send(path, { headers });
    const { links, forms } = await read(run.page, html);
    seen.set(kindOf(path), status);
    const inside = (link) => /^\/(?!static|\/)/.test(link);
    todo.push(...[...links, location ?? ''].filter(inside));
    for (const link of links) for (const name of new URLSearchParams(link.split('?')[1]).keys()) parameters.add(name);
    for (const [i, { action, method, fields }] of forms.entries()) {
      if (action === '/signout') continue;
      if (method === 'get') for (const { name } of fields) parameters.add(name);
      todo.push(...[...await fill(run, headers, { path, i })].filter(inside));
    }
    for (const name of parameters) {
      await run.send(`${path.split('?')[0]}?${encode({ [name]: query(`the parameter ${name} of ${kindOf(path)}`) + forgery })}`, { headers });
    }
    await run.send(`${path.split('?')[0]}?${secret(`a bare query of ${kindOf(path)}`)}`, { headers });
  }
  return seen;
}

const names = [
  'accept', 'accept-encoding', 'accept-language', 'authorization', 'content-language', 'cookie', 'forwarded', 'from', 'if-match', 'if-modified-since',
  'if-none-match', 'origin', 'proxy-authorization', 'range', 'referer', 'sec-fetch-site', 'sec-fetch-mode', 'x-api-key', 'x-csrf-token', 'x-forwarded-for',
  'x-forwarded-host', 'x-forwarded-proto', 'x-fragment', 'x-original-url', 'x-request-id', 'x-correlation-id', 'traceparent', 'tracestate', 'baggage', 'dpop',
  'x-real-ip', 'idempotency-key', 'x-unheard-of',
];

/** Every header, cookie, path and method, at pages and at machines' addresses. */
async function headersAndPaths(run, headers) {
  const { secret, text } = run.canaries;
  const paths = ['/', '/apps', '/signin', '/oauth2/token', '/oauth2/introspect', '/oauth2/jwks', '/.well-known/oauth-authorization-server', '/api/v1/apps/self'];
  for (const path of paths) {
    for (const name of names) await run.send(path, { headers: { ...headers, [name]: secret(`the header ${name} at ${path}`) } });
    await run.send(path, { headers: { ...headers, [secret('the name of a header')]: secret('its value') } });
    await run.send(path, { headers: { ...headers, 'user-agent': text('the user agent') } });
    for (const name of ['credenza', 'credenza_device', '__Host-credenza', 'tz', 'theme', 'lang', 'unheard']) {
      await run.send(path, { headers: { cookie: `${name}=${secret(`the cookie ${name} at ${path}`)}` } });
    }
    await run.send(path, { headers: { authorization: `Bearer ${secret('a bearer token')}` } });
    await run.send(path, { headers: { authorization: basic(secret('a client ID in Basic'), secret('a secret in Basic')) } });
    await run.send(`${path}?${encode({ access_token: secret('a token in the query'), client_secret: secret('a secret in the query'), code: secret('a code in the query') })}`);
    for (const odd of [forgery, '%zz', '/../x', ';a=b']) {
      await run.send(`${path.replace(/\/$/, '')}/${secret('a part of the path')}${odd.startsWith('%') ? '' : encodeURIComponent(odd)}`, { headers });
    }
  }
  const unsafe = { headers: { ...headers, 'sec-fetch-site': 'cross-site', origin: `https://${secret('a foreign origin')}.example` } };
  await run.post('/apps', { name: text('a name from another site') }, unsafe);
  for (const body of [`{"name":"${secret('JSON where a form is due')}"}`, secret('no form at all'), `a=${secret('a broken form')}%zz`]) {
    for (const path of ['/apps', '/signin', '/oauth2/token', '/csp-report']) {
      await run.send(path, { method: 'POST', body, headers: { ...headers, 'content-type': secret('a content type') } });
      await run.send(path, { method: 'POST', body, headers: { ...headers, ...form, 'sec-fetch-site': 'same-origin' } });
    }
  }
  for (const member of ['document-uri', 'referrer', 'blocked-uri', 'effective-directive', 'violated-directive', 'original-policy', 'source-file', 'script-sample']) {
    await run.send('/csp-report', {
      method: 'POST', headers: { 'content-type': 'application/csp-report' },
      body: JSON.stringify({ 'csp-report': { [member]: secret(`${member} of a report`) } }),
    });
  }
}

/** Every parameter of the machines' endpoints, known and unknown, beside good and bad credentials. */
async function machines(run, app) {
  const { secret, text } = run.canaries;
  const good = { authorization: basic(app.clientID, app.secret) };
  const bought = JSON.parse((await run.post('/oauth2/token', { grant_type: 'client_credentials' }, { headers: good })).text).access_token;
  run.canaries.known('an access token', bought);
  run.canaries.known('the signature of a token', bought.split('.')[2]);
  await run.send('/api/v1/apps/self', { headers: { authorization: `Bearer ${bought}` } });
  const shown = ['scope', 'resource', 'grant_type', 'client_id', 'token_type_hint', 'expires_in']; // an error may repeat them
  const hidden = ['client_secret', 'client_assertion', 'assertion', 'code', 'code_verifier', 'refresh_token', 'device_code', 'username', 'password',
    'token', 'subject_token', 'redirect_uri', 'state', 'nonce', 'request', 'login_hint', 'unheard_of'];
  for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']) {
    const whole = { grant_type: 'client_credentials', ...(path !== '/oauth2/token' && { token: bought }) };
    for (const name of [...shown, ...hidden]) {
      const kind = shown.includes(name) ? text : secret;
      for (const more of ['', forgery]) {
        for (const headers of [good, {}, { authorization: basic(app.clientID, secret('a wrong secret')) }]) {
          if (path === '/oauth2/revoke' && name !== 'token' && headers === good) continue; // that would end the token
          await run.post(path, { ...whole, [name]: kind(`${name} at ${path}`) + more }, { headers });
        }
      }
      await run.post(`${path}?${encode({ [name]: secret(`${name} in the query of ${path}`) })}`, whole, { headers: path === '/oauth2/revoke' ? {} : good });
    }
    await run.post(path, { ...whole, [secret('the name of a parameter')]: secret('its value'), a: '1' }, { headers: path === '/oauth2/revoke' ? {} : good });
    await run.post(path, [['scope', text('a first scope')], ['scope', text('a second scope')]], { headers: good });
    // A secret that has every mark of one of this product but its tag.
    await run.post(path, { ...whole, client_id: app.clientID, client_secret: run.canaries.known('a changed secret', `${app.secret.slice(0, 20)}Q${app.secret.slice(21)}`) });
  }
  await run.post('/oauth2/revoke', { token: bought }, { headers: good });
}

/** Bytes that are no request, or one that net/http itself refuses. */
async function rawBytes(run) {
  const { secret } = run.canaries;
  const address = new URL(run.server.url);
  const host = `Host: ${address.host}`;
  for (const bytes of [
    `${secret('a method')} / HTTP/1.1\r\n${host}\r\n\r\n`, `GET /${secret('a path with a space')} x HTTP/1.1\r\n${host}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${secret('a host')}\r\n\r\n`, `GET / HTTP/1.1\r\nHost: ${secret('a bad host')}/\u0001\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}\r\n${secret('a bad header')} : x\r\n\r\n`, `GET / HTTP/1.1\r\n${host}\r\nX: ${secret('a long header')}${'x'.repeat(40_000)}\r\n\r\n`,
    `GET /?a=${secret('a query with a semicolon')};b=1 HTTP/1.1\r\n${host}\r\n\r\n`, `\u0016\u0003\u0001${secret('a TLS hello')}\r\n\r\n`,
    `GET http://${secret('an absolute address')}.example/ HTTP/1.1\r\n${host}\r\n\r\n`, `CONNECT ${secret('a tunnel')}.example:443 HTTP/1.1\r\n${host}\r\n\r\n`,
    `POST /oauth2/token HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${secret('a broken chunk')}\r\n`,
    `POST /oauth2/token HTTP/1.1\r\n${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nclient_secret=${secret('a body cut short')}`,
    `GET / HTTP/1.1\r\n${host}\r\nUser-Agent: \u001b[31m${secret('a user agent with a colour at a page nobody is signed in to')}\r\n\r\n`,
    `GET /${secret('version')} HTTP/9.9\r\n\r\n`, `${secret('noise')}\r\n\r\n`,
  ]) {
    const socket = net.connect(address.port, address.hostname, () => { socket.write(bytes, 'latin1'); setTimeout(() => socket.destroy(), 100); });
    socket.on('error', () => {}).resume();
    await once(socket, 'close');
  }
}

/** What operators read: metrics, health, every profile. */
async function operators(run) {
  const places = [];
  for (const path of [
    '/metrics', '/livez', '/readyz', '/debug/pprof/', '/debug/pprof/goroutine?debug=2', '/debug/pprof/goroutine?debug=1', '/debug/pprof/heap?debug=1',
    '/debug/pprof/allocs?debug=1', '/debug/pprof/block?debug=1', '/debug/pprof/mutex?debug=1', '/debug/pprof/threadcreate?debug=1', '/debug/pprof/cmdline',
    '/debug/pprof/heap', '/debug/vars',
  ]) places.push({ path, bytes: (await send({ url: run.admin + path })).text });
  return places;
}

const levels = ['DEBUG', 'INFO', 'WARN', 'ERROR'];

/** The whole run against a server. database are files beside those in the server's own directory. */
async function flight({ server, admin, browser, database, mailbox }) {
  const context = await browser.newContext();
  const run = new Run({ server, admin, page: await context.newPage() });
  const { canaries } = run;
  for (const setting of ['CREDENZA_DEMO_PASSWORD', 'CREDENZA_SMTP_URL', 'CREDENZA_DATABASE_URL']) {
    const password = /:([^:@/]+)@|password=([^&]+)/.exec(server.env[setting] ?? '');
    if (password) canaries.known(`the password in ${setting}`, password[1] ?? password[2]);
  }
  const link = await commandLine(run);
  canaries.hashed('a link by mail', link.searchParams.get('token'));
  const admins = await signIn(run, 'admin@acme.example');
  const app = await register(run, admins);
  const trace = send({ url: `${admin}/debug/pprof/trace?seconds=2` });
  await machines(run, app);
  const pages = await walk(run, admins, ['/', `/apps/${app.id}`, `/apps/${app.id}/hand-offs/new`, `/apps/${app.id}/rejections`, await bulk(run, admins, app), '/apps/views/new?q=canary', '/apps/unused', '/apps/nothing']);
  for (const path of [
    '/apps', '/apps/new', '/apps/:id', '/apps/:id/edit', '/apps/:id/secrets/new', '/apps/:id/history', '/apps/:id/test', '/apps/:id/rejections', '/apps/unknown',
    '/apps/:id/hand-offs/new', '/apps/views', '/apps/views/new', '/apps/unused', '/jobs/:id',
  ]) expect(pages.get(path), `${path} was walked`).toBe(200);
  for (const format of ['csv', 'json']) expect((await run.send(`/apps?format=${format}`, { headers: admins })).status).toBe(200);
  await walk(run, await signIn(run, 'root@platform.example'), ['/']);
  expect(run.handOffs.length).toBeGreaterThan(0);
  await walk(run, {}, ['/signin', `${link.pathname}${link.search}`, run.handOffs.at(-1), '/help']);
  await headersAndPaths(run, admins);
  await headersAndPaths(run, {});
  await rawBytes(run);
  const told = [...await operators(run), { path: 'trace', bytes: (await trace).text }];
  await context.close();

  expect(await server.stop()).toBe(0);
  expect(canaries.find(['secret', 'hashed'], run.refusals)).toEqual([]);
  expect([...run.shown.values()].filter((answers) => answers.length !== 1)).toEqual([]);
  expect(run.shown.size).toBeGreaterThan(1);
  expect(mailbox.mails.length).toBeGreaterThan(5);
  expect(canaries.find(['secret'], [{ path: 'a mail', bytes: mailbox.text }, { path: 'a mail as sent', bytes: mailbox.mails.join('\n') }])).toEqual([]);
  const log = server.printed.stderr;
  const spoken = [...told, { path: 'log', bytes: log }, { path: 'log of commands', bytes: run.commands.split('\n').filter((line) => line.startsWith('{')).join('\n') }];
  expect(canaries.find(['secret', 'hashed', 'query', 'text'], spoken)).toEqual([]);
  expect(log).not.toMatch(/forged|\u001b/);
  const lines = log.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const line of lines) expect(line).toMatchObject({ time: expect.any(String), level: expect.stringMatching(levels.join('|')), msg: expect.any(String) });
  expect(lines.filter(({ level }) => level === 'ERROR')).toEqual([]);
  expect(lines.filter(({ msg }) => msg === 'request').length).toBeGreaterThanOrEqual(run.sent);

  const stored = [...files(server.dir), ...database()].filter(({ path }) => !/\/out\/stdout$|demo-password$|\/key\//.test(path));
  expect(canaries.find(['secret', 'hashed', 'query'], stored)).toEqual([]);
  // The search finds what is there: what people wrote into fields stands in the database.
  const found = canaries.find(['text'], stored).map((line) => line.replace(/ in .*/, ''));
  expect(found).toEqual(expect.arrayContaining(['name', 'description', 'first name', 'last name', 'e-mail', '--name', '--description', '--label', '--first-name', '--email']));
  return { sent: run.sent, canaries: canaries.count, lines: lines.length };
}

/** What is set beside the usual: all that can be logged is logged, and mails leave with a password. */
async function withMailbox(use) {
  const mailbox = await Mailbox.listen();
  const user = `mailer:canary-of-mail-${base64(String(Math.random())).slice(0, 12)}@`;
  await use(mailbox, {
    CREDENZA_LOG_LEVEL: 'debug', CREDENZA_TOKEN_LOG: 'on', CREDENZA_SMTP_URL: `${mailbox.url.replace('//', `//${user}`)}?from=portal@acme.example`,
  });
  await mailbox.close();
}

test('what goes in does not come out in logs, metrics, mails, profiles or errors, on SQLite (C72, UI3)', async ({ browser }) => {
  test.setTimeout(300_000);
  await withMailbox((mailbox, settings) => withServer(settings, async (server, admin) => {
    const told = await flight({ server, admin, browser, mailbox, database: () => [] });
    console.log(`canaries on SQLite: ${JSON.stringify(told)}`);
  }));
});

test('what goes in does not come out in logs, metrics, mails, profiles or errors, on PostgreSQL (C72, UI3)', async ({ browser }) => {
  test.setTimeout(300_000);
  const password = `canary-of-database-${Math.random().toString(36).slice(2)}`;
  await withMailbox((mailbox, settings) => withPostgres(password, (
    { url, dir }) => withServer({ ...settings, CREDENZA_DATABASE_URL: url }, async (server, admin) => {
    const told = await flight({ server, admin, browser, mailbox, database: () => files(dir) });
    console.log(`canaries on PostgreSQL: ${JSON.stringify(told)}`);
  })));
});
