// The catalogue, administered: mapping a call, an organisation's own API out of an OpenAPI document.
import { inspect } from './axe.js';
import { expect, test } from './fixtures.js';

test('a call is mapped, told of and taken back @plain', async ({ open, plain }) => {
  const page = await open('root');
  await page.goto('/catalogue');
  await page.getByRole('link', { name: 'Coupa Core API' }).click();
  const row = page.getByRole('row').filter({ hasText: '/api/quote_requests' }).first();
  await expect(row).toContainText('Nobody: no scope is published');
  await row.getByRole('link', { name: /^Map GET/ }).click();
  await page.getByLabel('core.sourcing.read', { exact: false }).first().check();
  await page.getByLabel('Note').fill('As public pages hint.');
  await page.getByRole('button', { name: 'Save mapping' }).click();
  await expect(page.locator('.flash')).toContainText('is mapped');
  await expect(row).toContainText('Mapped, version 1');
  await page.goto('/scopes/core.sourcing.read');
  await expect(page.locator('main')).toContainText('mapped GET /quote_requests');
  await page.goto('/catalogue/coupa-core');
  await row.getByRole('link', { name: /^Take back/ }).click();
  if (plain) await expect(page.getByRole('heading', { level: 1 })).toContainText('Take back');
  await page.getByRole('button', { name: 'Take back' }).click();
  await expect(page.locator('.flash')).toContainText('taken back');
  await expect(row).toContainText('Denied');
});

const document = (title) => JSON.stringify({
  openapi: '3.1.0', info: { title, version: '1' }, servers: [{ url: 'https://bills.acme.example/bills/v2' }],
  paths: { '/bills': { get: {}, post: {} }, '/bills/{bill-id}': { get: {}, delete: {} } },
});

test('an OpenAPI document becomes an API of the organisation alone @plain', async ({ open, plain }) => {
  const title = plain ? 'Plain bills' : 'Bills';
  const key = `x-acme-${title.toLowerCase().replace(' ', '-')}`;
  const page = await open('admin');
  await page.goto('/catalogue/import');
  await page.getByLabel('Or a file').setInputFiles({ name: 'bills.json', mimeType: 'application/json', buffer: Buffer.from(document(title)) });
  await page.getByRole('button', { name: 'Read document' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Review the imported API');
  await expect(page.getByLabel('Document')).toHaveValue(new RegExp(`key: ${key}`));
  await page.getByRole('button', { name: 'Save API' }).click();
  await expect(page.locator('.flash')).toContainText(`${key} is in the catalogue`);
  await expect(page.getByRole('row').filter({ hasText: 'DELETE' })).toContainText(`.${title.toLowerCase().replace(' ', '-')}.write`);
  const other = await open('globex');
  expect((await other.request.get(`/catalogue/${key}`)).status()).toBe(404);
  await page.getByRole('link', { name: 'Remove' }).click();
  await page.getByRole('button', { name: `Remove ${title}` }).click();
  await expect(page.locator('.flash')).toContainText('is removed');
});

test('a file of 20 MB is refused in words', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/catalogue/import');
  await page.getByLabel('Or a file').setInputFiles({ name: 'big.yaml', mimeType: 'text/yaml', buffer: Buffer.alloc(20 << 20, 'a: b\n') });
  await page.getByRole('button', { name: 'Read document' }).click();
  await expect(page.locator('.error-summary')).toContainText('larger than 2 MiB');
});

test('the pages of the catalogue pass axe', async ({ open }) => {
  test.setTimeout(120_000);
  const page = await open('root');
  for (const path of [
    '/catalogue', '/catalogue/ccw', '/catalogue/ccw/map', '/catalogue/new', '/catalogue/import', '/catalogue/coupa-core/history',
    '/catalogue/coupa-core/map?method=GET&path=%2Fitems',
  ]) {
    await page.goto(path);
    await inspect(page, path);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}${path.replaceAll(/[^a-z]/g, '_')}.png`, fullPage: true });
  }
});
