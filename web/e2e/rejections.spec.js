// Why it failed: the test panel, and what a client's refused requests leave on the pages, with and without scripts.
import { readFileSync } from 'node:fs';
import { inspect } from './axe.js';
import { expect, refusedFile, test, traffic } from './fixtures.js';
import { expectNoSecret, register, rotate } from './pages.js';
import { runPrintedLines } from './printed.js';

/** Tries a secret on the panel of an app. */
async function trySecret(page, id, secret, scope) {
  await page.goto(`/apps/${id}/test`);
  await page.getByLabel('Client secret', { exact: true }).fill(secret);
  if (scope !== undefined) await page.getByLabel('Scope', { exact: false }).fill(scope);
  await page.getByRole('button', { name: 'Run the test' }).click();
  await expect(page.locator('.test-result')).toBeVisible();
  await expect(page.getByLabel('Client secret', { exact: true })).toHaveValue('');
  await expectNoSecret(page);
}

const chips = (page) => page.locator('.test-result .steps .chip').allInnerTexts();

test('the panel tries a secret in three steps and names the cause @plain', async ({ open, unique, plain }) => {
  const page = await open('admin');
  const app = await register(page, { name: unique('Tested in three steps') });
  await page.goto(`/apps/${app.id}`);
  await page.getByRole('link', { name: 'Test a secret' }).first().click();
  await expect(page.getByLabel('Client secret', { exact: true })).toHaveAttribute('type', 'password');
  const [bought, own] = await runPrintedLines(page, app.secret);
  expect(bought.scope).toBe('core.invoice.read');
  expect(own.client_id).toBe(app.clientID);

  await trySecret(page, app.id, app.secret, 'core.invoice.read');
  await expect(page.getByRole('heading', { name: 'The secret works' })).toBeVisible();
  if (!plain) await expect(page.getByRole('heading', { name: 'The secret works' })).toBeFocused();
  expect((await chips(page)).join(' ')).toMatch(/^\W*Passed \W*Passed \W*Passed$/);
  await expect(page.locator('.test-result dl')).toContainText(app.clientID);
  expect(await page.content()).not.toContain('eyJ');
  if (!plain) await inspect(page, 'a test that passed');

  const fresh = await rotate(page, app.id, { end: /^Now/ });
  for (const [secret, scope, says] of [
    [`${fresh} `, '', 'a space or line break before or after the secret'],
    [app.clientID, '', 'This looks like a client ID'],
    [app.secret, '', `The secret …${app.secret.slice(-4)} was used, which was retired.`],
    [fresh, 'core.invoice.write', 'This app does not hold the scope core.invoice.write.'],
  ]) {
    await trySecret(page, app.id, secret, scope);
    await expect(page.locator('.test-cause')).toContainText(says);
  }
  if (!plain) await inspect(page, 'a test that failed');
  // What was pasted went to the server and never came back.
  const answers = traffic().filter(({ path }) => path === `/apps/${app.id}/test`);
  expect(answers.length).toBeGreaterThan(8);
  for (const { text } of answers) expect(text).not.toContain(fresh);
});

test('use and refused requests are told on the page of their app within a minute, unknown client IDs on theirs (UI7) @plain', async ({ open, plain }) => {
  const app = JSON.parse(readFileSync(refusedFile(), 'utf8')); // first.js used it, and was refused
  const left = Math.max(app.at + 75_000 - Date.now(), 1000);
  test.setTimeout(left + 30_000);
  const page = await open('viewer');
  await expect(async () => {
    await page.goto(`/apps/${app.id}`);
    await expect(page.locator('.rejections-table tbody tr')).toHaveCount(2, { timeout: 1 });
    await expect(page.locator('.secrets-table tbody tr')).toContainText('In use', { timeout: 1 });
  }).toPass({ timeout: left, intervals: [1000] });
  const used = Date.parse(await page.locator('[aria-labelledby=use] time').first().getAttribute('datetime'));
  expect(Math.abs(used - app.at)).toBeLessThan(60_000);
  await expect(page.locator('.strip')).toContainText('2 requests of this app were rejected today.');
  await expect(page.locator('.rejections-table')).toContainText('What was sent is no secret of this app.');
  await expect(page.locator('.rejections-table')).toContainText('127.0.0.0/24');
  await page.getByRole('link', { name: 'Client IDs nobody registered' }).click();
  await expect(page.getByRole('row', { name: app.mistyped })).toContainText(`Did you mean ${app.clientID} of ${app.name}?`);
  if (!plain) await inspect(page, 'unknown client IDs');
  await page.goto(`/apps/${app.id}/rejections`);
  if (!plain) await inspect(page, 'rejections');
});
