// What every browser test gets: a server of the demonstration, shared by the tests of a file's worker, and a way in.
import { test as base, expect } from '@playwright/test';
import { Server, password } from './server.js';

export { expect };

export const test = base.extend({
  server: [async ({}, use) => { // Playwright wants the pattern, even an empty one
    const server = await Server.start();
    await use(server);
    await server.stop();
  }, { scope: 'worker' }],

  baseURL: async ({ server }, use) => { await use(server.url); },

  // signIn signs a person of the demonstration in, by address, and leaves the page on the first one after it.
  signIn: async ({ page }, use) => {
    await use(async (email) => {
      await page.goto('/signin');
      await page.getByLabel('E-mail').fill(email);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page).not.toHaveURL(/\/signin/);
    });
  },
});
