// The command line beside the running server: what one does the other knows, within a second (protocol.md §2).
import { requestToken, self, token } from './clients.js';
import { credenza, expect, test } from './fixtures.js';
import { secretForm } from './pages.js';

const within = { timeout: 1500, intervals: [50] };
const status = (app) => async () => (await requestToken(app)).status;

test('an app lives and ends on the command line, and the server follows', async ({ open }) => {
  const json = (...args) => credenza('app', ...args, '--json');
  const made = await json('create', '--org', 'acme', '--name', 'From the command line', '--scope', 'core.invoice.read');
  const app = { clientID: made.client_id, secret: made.client_secret };
  expect(app.clientID).toMatch(/^CCWACME_/);
  expect(app.secret).toMatch(secretForm);
  await expect.poll(status(app), within).toBe(200);

  const page = await open('viewer');
  await page.goto(`/apps?q=${app.clientID}`);
  await page.getByRole('link', { name: 'From the command line' }).click();
  await expect(page.getByText('Created on the command line')).toBeVisible();
  await page.getByRole('link', { name: 'History' }).click();
  await expect(page.locator('.event-text')).toHaveText(/^operator:\S+ registered From the command line$/);

  const second = (await json('rotate', app.clientID, '--old-ends', '1h')).client_secret;
  const next = { clientID: app.clientID, secret: second };
  await expect.poll(status(next), within).toBe(200);
  expect(await status(app)()).toBe(200);
  const bought = await token(next);

  await json('deactivate', app.clientID);
  await expect.poll(status(next), within).toBe(401);
  expect((await self(bought)).status).toBe(401);
  await json('activate', app.clientID);
  await expect.poll(status(next), within).toBe(200);

  const shown = await json('show', app.clientID);
  expect(shown).toMatchObject({ client_id: app.clientID, status: 'active', category: 'customer', scopes: ['core.invoice.read'] });
  expect(shown.secrets).toHaveLength(2);
  expect(JSON.stringify(shown)).not.toMatch(secretForm);

  await expect(json('delete', app.clientID)).rejects.toThrow('Deactivate it first');
  await json('deactivate', app.clientID);
  await json('delete', app.clientID);
  await expect.poll(status(next), within).toBe(401);
  await page.goto(`/apps?q=${app.clientID}`);
  await expect(page.getByText('No app in this organisation has this client ID.')).toBeVisible();
});

test('a second server on the same database is refused, commands are not', async () => {
  await expect(credenza('serve', '--demo')).rejects.toThrow(/another|already|lock/i);
  expect(await credenza('org', 'list', '--json')).toEqual(expect.arrayContaining([expect.objectContaining({ client_prefix: 'ACME' })]));
});
