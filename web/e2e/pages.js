// What people do on the pages, found as people find it: by role and name.
import { expect } from '@playwright/test';

export const secretForm = /ccws_[0-9A-Za-z]{62}/;

export async function signIn(page, email, password) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens the form of a new app, fills it with what app says, and leaves it unsent. */
export async function fillRegister(page, app) {
  await page.goto('/apps/new');
  await fillApp(page, {
    description: 'Moves figures from one system to another every night.', category: 'Customer', user: /client user/,
    scopes: ['core.invoice.read'], ...app,
  });
}

/** Fills fields of the form of an app: those that app names, and no others. */
export async function fillApp(page, app) {
  if (app.name !== undefined) await page.getByLabel('Application name', { exact: true }).fill(app.name);
  if (app.description !== undefined) await page.getByLabel('Description', { exact: true }).fill(app.description);
  if (app.category) await page.getByRole('radio', { name: app.category }).check();
  if (app.contact) await fillContact(page, '', app.contact);
  if (app.second) {
    const more = page.getByText('Second contact (optional)');
    if (!await page.locator('#f-second_first_name').isVisible()) await more.click();
    await fillContact(page, 'second_', app.second);
  }
  if (app.expiry) await page.getByLabel('Secret expires', { exact: true }).selectOption({ label: await optionOf(page, 'Secret expires', app.expiry) });
  if (app.expiresOn) await page.locator('#f-expires_on').fill(app.expiresOn);
  if (app.user) await chooseUser(page, app.user);
  for (const scope of app.scopes ?? []) await tickScope(page, scope);
  if (app.active !== undefined) await page.getByRole('checkbox', { name: 'Active' }).setChecked(app.active);
}

async function fillContact(page, prefix, contact) {
  await page.locator(`#f-${prefix}first_name`).fill(contact.first);
  await page.locator(`#f-${prefix}last_name`).fill(contact.last);
  await page.locator(`#f-${prefix}email`).fill(contact.email);
}

const optionOf = async (page, label, text) => {
  const options = await page.getByLabel(label, { exact: true }).getByRole('option').allTextContents();
  return options.find((option) => (text instanceof RegExp ? text.test(option) : option.trim().startsWith(text))).trim();
};

/** Chooses the API user; without scripts the list follows the category only when asked to. */
async function chooseUser(page, user) {
  const update = page.getByRole('button', { name: 'Update list' });
  if (await update.isVisible()) await update.click();
  const select = page.getByLabel('API user', { exact: true });
  const options = await select.locator('option:not([disabled]):not([hidden])').allTextContents();
  await select.selectOption({ label: options.find((option) => user.test(option)).trim() });
}

/** Ticks a scope after searching for it, as one does in a list of two hundred. */
async function tickScope(page, scope) {
  const box = page.locator(`input[name="scope"][value="${scope}"]`);
  await page.getByLabel('Find a scope', { exact: true }).fill(scope);
  if (await page.getByRole('button', { name: 'Update list' }).isVisible()) { // scripts are off
    await page.getByRole('button', { name: 'Find' }).click();
  }
  await box.check();
}

/** Reads the page of a new secret. */
export async function readReveal(page) {
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^Copy the secret for .+ now$/);
  return {
    clientID: await page.getByLabel('Client ID', { exact: true }).inputValue(),
    secret: await page.getByLabel('Client secret', { exact: true }).inputValue(),
  };
}

/** Says that the secret is stored and closes the page; what is left is the page of the app. */
export async function closeReveal(page) {
  await page.getByLabel('I have stored the secret').check();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page).toHaveURL(/\/apps\/[0-9a-f-]{36}\??$/);
}

/** Registers an app and returns what a person then knows: id, client ID and secret. */
export async function register(page, app) {
  await fillRegister(page, app);
  await page.getByRole('button', { name: 'Create app' }).click();
  const made = await readReveal(page);
  await closeReveal(page);
  return { ...made, name: app.name, id: appID(page) };
}

export const appID = (page) => /\/apps\/([0-9a-f-]{36})/.exec(page.url())[1];

/** Rotates the secret; the choices are labels of the form. Returns the new secret. */
export async function rotate(page, id, { why = 'Planned change', end } = {}) {
  await page.goto(`/apps/${id}/secrets/new`);
  await page.getByRole('radio', { name: why }).check();
  if (end) await page.getByRole('radio', { name: end }).check();
  await page.getByRole('button', { name: 'Create new secret' }).click();
  const { secret } = await readReveal(page);
  await closeReveal(page);
  return secret;
}

/** Follows a link that asks before it acts, as a dialog or as a page, and says yes. */
export async function confirm(page, link, button) {
  await link.click();
  await page.getByRole('button', { name: button }).click();
}

/** Fails when any secret stands on the page, in its text, its fields or its source. */
export async function expectNoSecret(page) {
  expect(await source(page)).not.toMatch(secretForm);
  for (const field of await page.locator('input, textarea').all()) expect(await field.inputValue()).not.toMatch(secretForm);
}

/** The source of the page, once it has arrived. */
async function source(page) {
  await page.waitForLoadState();
  return page.content().catch((error) => {
    if (!error.message.includes('navigating')) throw error;
    return source(page);
  });
}

/** Registers an API that checks tokens and returns its ID; the page with the secret stays open. */
export async function registerServer(page, { name, api }) {
  await page.goto('/apps/new');
  await page.getByRole('radio', { name: 'An API that checks tokens' }).check();
  await page.getByLabel('API', { exact: true }).selectOption({ label: api });
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Description', { exact: true }).fill('Asks whether the tokens that callers sent are good.');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const path = await page.locator('form.reveal-close').getAttribute('action');
  return path.slice(path.lastIndexOf('/') + 1);
}
