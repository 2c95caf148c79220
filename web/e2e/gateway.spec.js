// The sample of docs/examples/ccw as its README has it: a real nginx with the configuration printed there, the sample
// API behind it, and Credenza asked about each call.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from '@playwright/test';
import { withNginxConfig } from './nginx.js';
import { command, freeAddress, run, Server } from './server.js';

const example = (file) => new URL(`../../docs/examples/ccw/${file}`, import.meta.url);
const sample = process.env.CREDENZA_SAMPLE ?? new URL('../../bin/ccw-sample', import.meta.url).pathname;

let server;
let api; // the process of the sample API
let apiAddress;

/** The configuration of the example with the addresses of this run. */
function config(listen) {
  const [, gateway] = /"gateway_addr":"([^"]+)"/.exec(server.printed.stderr);
  const addresses = { '127.0.0.1:8088': listen, '127.0.0.1:8090': apiAddress, '127.0.0.1:8082': gateway };
  return Object.entries(addresses).reduce((text, [printed, real]) => {
    expect(text).toContain(printed);
    return text.replaceAll(printed, real);
  }, readFileSync(example('nginx.conf'), 'utf8')).replace('pid ', 'master_process off;\npid ');
}

const create = async (name, ...scopes) =>
  command(server, 'app', 'create', '--org', 'acme', '--name', name, ...scopes.flatMap((scope) => ['--scope', scope]), '--json');

async function tokenOf({ client_id: id, client_secret: secret }, parameters = {}) {
  const answer = await fetch(`${server.url}/oauth2/token`, {
    method: 'POST', headers: { Authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()).access_token;
}

test.beforeAll(async () => { server = await Server.start(); });

test.afterAll(() => server?.remove());

test.beforeEach(async () => {
  api = spawn(sample, ['-addr', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(api.stdout.setEncoding('utf8'), 'data');
  [, apiAddress] = /http:\/\/([\d.:]+);/.exec(said);
});

test.afterEach(async () => {
  const ended = once(api, 'exit');
  api.kill('SIGTERM');
  await ended;
});

/** Runs nginx before the sample and calls use with a function that calls the API with a token. */
async function behindNginx(use) {
  const listen = await freeAddress();
  await withNginxConfig(config(listen), () => use(async (token, method, path, { body, headers } = {}) => {
    const answer = await fetch(`http://${listen}${path}`, {
      method, body, headers: { 'X-Correlation-Id': 'e2e', ...(token && { Authorization: `Bearer ${token}` }), ...headers },
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json().catch(() => null) };
  }, listen));
}

const search = { body: JSON.stringify({ data: { status: 'submitted' } }) };
const subCode = ({ body }) => body.error_causes[0].error_sub_code;

test('a token opens the calls of its scopes and no others', async () => {
  const token = await tokenOf(await create('Candidates', 'ccw.candidates'));
  await behindNginx(async (call) => {
    const found = await call(token, 'POST', '/api/candidates/search', search);
    expect(found.status).toBe(200);
    expect(found.body.data.length).toBeGreaterThan(0);
    const confirmed = await call(token, 'PUT', `/api/candidates/${found.body.data[0].id}/confirm`);
    expect(confirmed).toMatchObject({ status: 200, body: { id: found.body.data[0].id } });

    const refused = await call(token, 'POST', '/api/contingent_workers', search);
    expect(refused.status).toBe(403);
    expect(subCode(refused)).toBe('E4030002');
    expect(refused.headers.get('WWW-Authenticate')).toContain('scope="ccw.contingent_workers"');

    const without = await call('', 'POST', '/api/candidates/search', search);
    expect(without.status).toBe(401);
    expect(subCode(without)).toBe('E4010002');
    expect(without.headers.get('WWW-Authenticate')).toBe('Bearer realm="credenza"');
    expect(without.headers.get('Content-Type')).toBe('application/json');
  });
});

test('what is taken away counts at once', async () => {
  const app = await create('Short lived', 'ccw.candidates');
  const token = await tokenOf(app);
  await behindNginx(async (call) => {
    expect((await call(token, 'POST', '/api/candidates/search', search)).status).toBe(200);
    await command(server, 'app', 'deactivate', app.client_id);
    await expect.poll(async () => (await call(token, 'POST', '/api/candidates/search', search)).status).toBe(401);
  });
});

test('forged headers, crooked paths and other APIs do not come through', async () => {
  const token = await tokenOf(await create('Attacker', 'ccw.candidates'));
  const other = await tokenOf(await create('Of another API', 'core.invoice.read'));
  await behindNginx(async (call, listen) => {
    expect((await call(other, 'POST', '/api/candidates/search', search)).status).toBe(401);
    const forged = {
      'X-Original-Method': 'POST', 'X-Original-URI': '/api/candidates/search', 'X-Forwarded-Method': 'POST',
      'X-Forwarded-Uri': '/api/candidates/search',
    };
    expect((await call(token, 'POST', '/api/contingent_workers', { ...search, headers: forged })).status).toBe(403);
    // The upstream answers by the organisation of the header: what Globex would see is another list.
    const org = { 'X-Credenza-Org': 'forged', 'X-Credenza-Scope': 'ccw.contingent_workers', 'X-Credenza-Client': 'forged' };
    const mine = await call(token, 'PUT', '/api/candidates/RS-CS-2/confirm', { headers: org });
    expect(mine.status).toBe(200);
    const again = await call(token, 'POST', '/api/candidates/search', { body: JSON.stringify({ data: { last_name: 'Okafor' } }) });
    expect(again.body.data[0].status).toBe('confirmed');
    expect((await call(token, 'POST', '/api/candidates/search', { ...search, headers: { 'X-HTTP-Method-Override': 'DELETE' } })).status).toBe(403);
    for (const path of [
      '/api//candidates/search', '/api/candidates/search/', '/api/candidates%2fsearch', '/api/x/../candidates/search', '/api/./candidates/search',
      '/api/candidates/search;a=b', '/api/candidates/search?_method=PUT', '/api/%63andidates/search', '/api/candidates/search%00',
    ]) {
      expect(await raw(listen, 'POST', path, token), path).toMatch(/^HTTP\/1\.1 (403|400) /);
    }
  });
});

test('without Credenza nobody is let through', async () => {
  const token = await tokenOf(await create('Alone', 'ccw.candidates'));
  const listen = await freeAddress();
  const dead = await freeAddress();
  const [, gateway] = /"gateway_addr":"([^"]+)"/.exec(server.printed.stderr);
  await withNginxConfig(config(listen).replaceAll(gateway, dead), async () => {
    const answer = await fetch(`http://${listen}/api/candidates/search`, {
      method: 'POST', body: search.body, headers: { Authorization: `Bearer ${token}`, 'X-Correlation-Id': 'e2e' },
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toBe('1');
    expect((await answer.json()).error_causes[0].error_sub_code_desc).toContain('safe to send it again');
  });
});

test('the lines of its README do what it says', async () => {
  const app = await create('Read aloud', 'ccw.candidates');
  const listen = await freeAddress();
  const blocks = [...readFileSync(example('README.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines]) => lines);
  const script = blocks.join('\n')
    .replace(/^bin\/credenza .*$/m, '').replaceAll('CCWACME_your_client_id', app.client_id)
    .replaceAll('http://127.0.0.1:8080', server.url).replaceAll('127.0.0.1:8088', listen);
  await withNginxConfig(config(listen), async () => {
    const said = await run('bash', ['--norc', '-c', script], { input: `${app.client_secret}\n`, env: { PATH: process.env.PATH } });
    expect(said.stderr).toBe('');
    const [found, confirmed, ...refused] = said.stdout.split('\n');
    expect(JSON.parse(found).data.length).toBeGreaterThan(0);
    expect(JSON.parse(confirmed)).toEqual({ id: 'RS-CS-1' });
    expect(refused.join('\n')).toContain('HTTP/1.1 403');
    expect(refused.join('\n')).toContain('ccw.contingent_workers');
  });
});

/** Sends a request line as it stands, which fetch would mend, and returns the first line of the answer. */
async function raw(address, method, path, token) {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${address}\r\nAuthorization: Bearer ${token}\r\nX-Correlation-Id: e2e\r\n`
    + `Content-Length: ${search.body.length}\r\nConnection: close\r\n\r\n${search.body}`);
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += chunk;
  return text.split('\n')[0];
}
