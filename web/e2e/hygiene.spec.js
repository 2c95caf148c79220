// What holds for every page: a pasted secret is dropped, nothing runs that a person typed, a policy that reports, and a
// cookie that scripts cannot read.
import { request as http } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, run, test, traffic } from './fixtures.js';
import { fillRegister, readReveal, register } from './pages.js';

const log = () => readFileSync(join(run().dir, 'out', 'stderr'), 'utf8');
const sentWith = (text, from) => traffic().slice(from).filter((exchange) => decodeURIComponent(exchange.url).includes(text));

test('a secret in the search box is not sent (UI5)', async ({ open }) => {
  const page = await open('admin');
  const app = await register(page, { name: 'Pasted with scripts' });
  await page.goto('/apps');
  const before = traffic().length;
  const box = page.getByLabel('Search apps');
  for (const send of [async () => box.fill(app.secret), async () => box.pressSequentially(app.secret), async () => {
    await box.fill('invoices');
    await box.evaluate((input, secret) => { input.value = secret; }, app.secret); // before the search for the word begins
  }, async () => {
    await box.evaluate((input, secret) => { input.value = secret; }, app.secret); // as by a browser's own history
    await box.press('Enter');
  }]) {
    await send();
    await expect(box).not.toHaveValue(/ccws_/);
    await expect(page.locator('.search-note')).toHaveText('That is a client secret. It was not sent. Revoke it');
    await box.fill('');
  }
  await expect(page).not.toHaveURL(/ccws/);
  expect(sentWith('ccws_', before)).toEqual([]);
});

test('a secret that was sent as a search is dropped, not logged, not echoed (UI5) @plain', async ({ open, unique, plain }) => {
  const page = await open('admin');
  const app = await register(page, { name: unique('Pasted by address') });
  const before = traffic().length;
  if (plain) {
    await page.goto('/apps');
    await page.getByLabel('Search apps').fill(`  ${app.secret}`);
    await page.getByRole('button', { name: 'Search' }).click();
  } else {
    await page.goto(`/apps?q=${app.secret}`);
  }
  await expect(page).toHaveURL('/apps?hint=secret');
  await expect(page.getByRole('alert')).toContainText('That was a client secret');
  await expect(page.getByLabel('Search apps')).toHaveValue('');
  const [first] = sentWith(app.secret, before);
  expect(first.status).toBe(303);
  expect(first.header('location')).toBe('/apps?hint=secret');
  expect(log()).not.toContain(app.secret.slice(5));
});

test('a secret in an address is not passed on by any redirect (UI5) @plain', async ({ open, unique }) => {
  const page = await open('admin');
  const { secret } = await register(page, { name: unique('Pasted before signing in') });
  const stranger = await open();
  for (const path of [
    `/apps?q=${secret}`, `/?q=${secret}`, `/signin?next=${encodeURIComponent(`/apps?q=${secret}`)}`, `/help?x=${secret}`,
    `/nothing/${secret}`,
  ]) {
    const answer = await stranger.request.get(path, { maxRedirects: 0 });
    expect(JSON.stringify(answer.headers()), path).not.toContain(secret);
    expect(await answer.text(), path).not.toContain(secret);
  }
  const elsewhere = await new Promise((resolve, reject) => { // the same server by another name
    http(run().url, { path: `/apps?q=${secret}`, headers: { host: 'localhost' } }, resolve).on('error', reject).end();
  });
  elsewhere.resume();
  expect(JSON.stringify(elsewhere.headers)).not.toContain(secret);
});

test('what people type is text everywhere (C57)', async ({ open }) => {
  const page = await open('admin');
  const payload = '"><img src=x onerror=alert(1)><script>alert(2)</script>\'{{7*7}}';
  await fillRegister(page, {
    name: `${payload}`.slice(0, 80), description: `${payload} javascript:alert(3)`,
    contact: { first: '<b>Ana', last: '</title><svg onload=alert(4)>', email: 'ana+"onfocus=alert(5)"@acme.example' },
  });
  await page.locator('#f-email').fill('ana@acme.example');
  await page.getByRole('button', { name: 'Create app' }).click();
  await readReveal(page);
  await page.getByLabel('I have stored the secret').check();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(payload.slice(0, 80));
  const path = new URL(page.url()).pathname;
  for (const view of ['', '/edit', '/history', '/secrets/new', '/deactivate']) {
    await page.goto(path + view);
    await expect(page.locator('img, svg[onload], script:not([src])')).toHaveCount(0);
    expect(await page.title()).toContain('Credenza');
  }
  await page.goto(`/apps?q=${encodeURIComponent(payload)}&category=${encodeURIComponent(payload)}&sort=${encodeURIComponent(payload)}`);
  await page.goto(`/apps?q=img`);
  await expect(page.getByRole('link', { name: payload.slice(0, 80) })).toBeVisible();
  await page.goto(`/signin?next=${encodeURIComponent(payload)}`);
  await page.goto(`/${encodeURIComponent(payload)}`);
});

test('a violated content security policy is reported, and only a deliberate one', async ({ open, faults }) => {
  const page = await open('admin');
  await page.goto('/help?provoked');
  const before = log().length;
  const reported = page.waitForResponse('**/csp-report');
  await page.evaluate(() => {
    const image = document.createElement('img');
    image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
    document.body.append(image);
  });
  const answer = await reported;
  expect(answer.status()).toBe(204);
  await expect.poll(() => log().slice(before)).toContain('content security policy violated');
  const line = log().slice(before).split('\n').find((text) => text.includes('content security policy violated'));
  expect(JSON.parse(line)).toMatchObject({ level: 'WARN', directive: 'img-src' });
  expect(line).not.toContain('provoked'); // what pages are called stays out of the log
  await expect.poll(() => faults.length).toBeGreaterThan(0); // the console says it too
  for (const fault of faults.splice(0)) expect(fault).toContain('Content Security Policy');
});

test('scripts can neither read the session nor write HTML from elsewhere', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/');
  expect(await page.evaluate(() => document.cookie)).toMatch(/^(tz=[A-Za-z%/_0-9]+)?$/);
  const cookies = await page.context().cookies();
  const session = cookies.filter(({ httpOnly }) => httpOnly);
  expect(session.length).toBeGreaterThan(0);
  for (const cookie of session) expect(cookie).toMatchObject({ sameSite: 'Lax', path: '/', domain: '127.0.0.1' });
});

test('an error page is one of the portal, and never says too much @plain', async ({ open }) => {
  const page = await open('admin');
  for (const [path, status] of [
    ['/no/such/page', 404], ['/apps/not-an-id', 404], ['/apps/new/extra', 404], ['/apps/%00', 404], ['/apps//edit', 404],
    ['/static/../web/routes.go', 404], ['/static/nothing.css', 404],
  ]) {
    const answer = await page.goto(path);
    expect(answer.status(), path).toBe(status);
    if (path.startsWith('/static')) continue;
    await expect(page.getByRole('heading', { level: 1 }), path).toHaveText('Nothing is here');
    await expect(page.getByRole('link', { name: 'Go to the home page' })).toBeVisible();
    expect(await page.content()).not.toMatch(/goroutine|\.go:\d|SELECT |sqlite/);
  }
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await page.request.fetch('/apps', { method, headers: { 'sec-fetch-site': 'same-origin' } });
    expect([403, 404, 405], method).toContain(answer.status());
  }
});

test('bad forms: too large, of the wrong kind, from elsewhere (C56) @plain', async ({ open }) => {
  const page = await open('admin');
  const post = (headers, data) => page.request.post('/apps', { data, headers, maxRedirects: 0 });
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  expect((await post(form, `name=${'x'.repeat(10 << 20)}`)).status()).toBe(413);
  expect((await post({ ...form, 'content-type': 'application/json' }, '{"name":"x"}')).status()).toBe(415);
  expect((await post(form, 'name=%zz')).status()).toBe(422);
  expect((await post(form, 'name=one&name=two')).status()).toBe(422);
  for (const site of ['cross-site', 'same-site']) {
    expect((await post({ ...form, 'sec-fetch-site': site }, 'name=x')).status(), site).toBe(403);
  }
});

test('the admin listener says it is alive, ready, and counts', async () => {
  for (const path of ['/livez', '/readyz']) {
    const answer = await fetch(run().admin + path);
    expect(answer.status, path).toBe(200);
  }
  const metrics = await (await fetch(`${run().admin}/metrics`)).text();
  expect(metrics).toContain('process_start_time_seconds');
  expect(metrics).toMatch(/bcrypts_total/);
  for (const path of ['/metrics', '/livez', '/debug/pprof/']) expect((await fetch(run().url + path)).status, path).toBe(404);
});
