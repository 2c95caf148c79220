// A server of a test's own, for what would disturb others: floods of wrong secrets, other settings, a proxy in front.
import http from 'node:http';
import { command, freeAddress, Server } from './server.js';

/** Serves the demonstration with more settings while use(server, admin) runs; admin is the URL of the admin listener. */
export async function withServer(settings, use) {
  const admin = await freeAddress();
  const server = await Server.start(async () => ({ CREDENZA_ADMIN_ADDR: admin, ...settings }));
  try {
    return await use(server, `http://${admin}`);
  } finally {
    await server.remove();
  }
}

/** Registers an app on the command line beside the server. Returns { id, secret } as its client needs them. */
export async function commandLineApp(server, name, scopes, ...flags) {
  const made = await command(
    server, 'app', 'create', '--org', 'acme', '--name', name, ...scopes.flatMap((scope) => ['--scope', scope]), '--json', ...flags);
  return { id: made.client_id, secret: made.client_secret };
}

/** Sends a request as it stands, from the loopback address from, and returns the answer with its body as text. */
export async function send({ url, method = 'GET', headers = {}, body = '', from = '127.0.0.1' }) {
  const request = http.request(url, { method, headers, localAddress: from, agent: false });
  const answered = new Promise((resolve, reject) => { request.on('response', resolve).on('error', reject); });
  request.end(body);
  const answer = await answered;
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders, text: Buffer.concat(chunks).toString() };
}

export const form = { 'content-type': 'application/x-www-form-urlencoded' };
export const readsInvoices = 'grant_type=client_credentials&scope=core.invoice.read';

/** The token request of an app with Basic, for send. more are parts of the request that differ. */
export const asking = (url, { id, secret }, more = {}) => ({
  url: `${url}/oauth2/token`, method: 'POST', body: readsInvoices, ...more,
  headers: { ...form, authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`, ...more.headers },
});
