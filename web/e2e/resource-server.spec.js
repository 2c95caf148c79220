// An API that checks tokens: registered by the platform in the browser, asking about a customer's token with the secret
// it was shown.
import { expect, run, test } from './fixtures.js';
import { token } from './clients.js';
import { closeReveal, readReveal, register, registerServer } from './pages.js';

const introspect = async ({ clientID, secret }, asked) => {
  const answer = await fetch(`${run().url}/oauth2/introspect`, {
    method: 'POST', headers: { Authorization: `Basic ${btoa(`${clientID}:${secret}`)}` }, body: new URLSearchParams({ token: asked }),
  });
  return { status: answer.status, ...await answer.json() };
};

test('an API is registered and asks about tokens of every organisation @plain', async ({ open, unique }) => {
  const caller = await register(await open('admin'), { name: unique('Caller of the spend API'), scopes: ['core.invoice.read'] });
  const asked = await token(caller);

  const page = await open('root');
  const name = unique('Spend API');
  await registerServer(page, { name, api: 'Coupa Core API' });
  const server = await readReveal(page);
  await closeReveal(page);
  await expect(page.getByText('Introspects tokens of Coupa Core API').first()).toBeVisible();
  expect(await introspect(server, asked)).toMatchObject({ status: 200, active: true, client_id: caller.clientID, scope: 'core.invoice.read' });

  await page.getByRole('link', { name: 'Deactivate', exact: true }).click();
  await page.getByRole('button', { name: `Deactivate ${name}` }).click();
  await expect(page.getByText('Nothing is answered any more when it asks about a token.')).toBeVisible();
  expect(await introspect(server, asked)).toMatchObject({ status: 401, error: 'invalid_client' });
});

test('only the platform is asked what kind of app it is', async ({ open }) => {
  const page = await open('admin');
  await page.goto('/apps/new');
  await expect(page.getByRole('radio', { name: 'An API that checks tokens' })).toHaveCount(0);
  const platform = await open('root');
  await platform.goto('/apps/new');
  await expect(platform.getByLabel('API user', { exact: true })).toBeHidden();
  await platform.getByRole('radio', { name: 'An app that calls APIs' }).check();
  await expect(platform.getByLabel('API user', { exact: true })).toBeVisible();
  await expect(platform.getByLabel('API', { exact: true })).toBeHidden();
});
