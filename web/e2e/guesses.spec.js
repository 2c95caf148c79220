// Guessing secrets: who guesses is put off, and nobody else.
import { expect, test } from '@playwright/test';
import { withNginx } from './nginx.js';
import { asking, commandLineApp, send, withServer } from './ownserver.js';
import { freeAddress } from './server.js';

/** The i-th guess at a secret: its own form, with other digits at the end. */
const guess = ({ id, secret }, i) => ({ id, secret: secret.slice(0, -6) + String(i).padStart(6, secret.endsWith('0') ? '1' : '0') });

test('a hundred wrong secrets from one network are put off, a right one never (C23)', async () => {
  test.setTimeout(60_000);
  await withServer({}, async (server) => {
    const app = await commandLineApp(server, 'Guessed at', ['core.invoice.read']);
    const from = '127.3.0.1';
    const answers = [];
    for (let i = 0; i < 100; i += 1) answers.push(await send(asking(server.url, guess(app, i), { from })));
    const statuses = answers.map(({ status }) => status);
    const first = statuses.indexOf(429);
    expect(first).toBeGreaterThan(0);
    expect(statuses.slice(0, first).every((status) => status === 401)).toBe(true);
    expect(statuses.slice(first).every((status) => status === 429 || status === 401)).toBe(true);
    for (const { headers, text } of answers.filter(({ status }) => status === 429)) {
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect([headers['content-type'], headers['cache-control']]).toEqual(['application/json', 'no-store']);
      expect(JSON.parse(text).error).toBe('temporarily_unavailable');
    }
    // Strangers lock nobody out: not here, not elsewhere, and not at the other endpoints.
    for (const address of [from, '127.3.0.2']) {
      expect((await send(asking(server.url, app, { from: address }))).status, address).toBe(200);
    }
    expect((await send(asking(server.url, guess(app, 100), { from: '127.3.0.3' }))).status).toBe(401);
  });
});

for (const trusted of [true, false]) {
  test(`behind nginx that is ${trusted ? 'trusted its client is' : 'not named nobody is'} put off (C23, C61)`, async () => {
    const [listen, target] = [await freeAddress(), await freeAddress()];
    const url = `http://${listen}`;
    const settings = { CREDENZA_ADDR: target, CREDENZA_PUBLIC_URL: 'https://portal.example', ...(trusted && { CREDENZA_TRUSTED_PROXIES: '127.0.0.1' }) };
    await withServer(settings, (server) => withNginx({ listen, target }, async () => {
      const app = await commandLineApp(server, 'Guessed at through nginx', ['core.invoice.read']);
      const statuses = new Set();
      for (let i = 0; i < 60; i += 1) {
        const headers = { 'x-forwarded-for': `198.51.100.${i}`, 'x-real-ip': `198.51.100.${i}`, forwarded: `for=198.51.100.${i}` };
        statuses.add((await send(asking(url, guess(app, i), { headers, from: '127.3.1.1' }))).status);
      }
      expect([...statuses]).toEqual(trusted ? [401, 429] : [401]);
      // Another client of the proxy is not that one, and whoever knows the secret is let in from anywhere.
      expect((await send(asking(url, guess(app, 60), { from: '127.3.1.2' }))).status).toBe(401);
      expect((await send(asking(url, app, { from: '127.3.1.1' }))).status).toBe(200);
      await expect.poll(() => server.printed.stderr.includes('CREDENZA_TRUSTED_PROXIES does not name it')).toBe(!trusted);
    }));
  });
}
