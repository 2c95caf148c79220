// What every browser test gets: pages of people who are signed in, and a watch on what no page may do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { exchanges } from './recorder.js';
import { command } from './server.js';

export { expect };

/** The server of this run: dir, env, url, admin, pid, record. */
export const run = () => JSON.parse(process.env.CREDENZA_E2E);

/** The password that the server printed for the people of the demonstration. */
export function printedPassword() {
  const [, password] = /^Password of all: (.+?) {3}\(/m.exec(readFileSync(join(run().dir, 'out', 'stdout'), 'utf8'));
  return password;
}

/** Runs a command of the binary beside the server. */
export const credenza = (...args) => command(run(), ...args);

/** Everything that went over the wire so far. */
export const traffic = () => exchanges(run().record);

/** Who signs in, by the name tests give them. Initech is made by first.js and holds what lists are filled with. */
export const people = {
  admin: 'admin@acme.example', viewer: 'viewer@acme.example', guest: 'guest@acme.example',
  globex: 'admin@globex.example', root: 'root@platform.example', support: 'support@platform.example', initech: 'admin@initech.example',
};

/** Where first.js keeps the session of a person for the tests after it. */
export const sessionFile = (who) => join(run().dir, 'people', `${who}.json`);

/** Where first.js keeps what it knows of the app that was refused. */
export const refusedFile = () => join(run().dir, 'people', 'refused.json');

// What Chromium writes to the console about an answer with an error status is said by the status already.
const statusNoise = /^Failed to load resource: the server responded with a status of 4\d\d/;

export const test = base.extend({
  baseURL: async ({}, use) => { await use(run().url); }, // Playwright wants the pattern, even an empty one

  /** Tells whether scripts are off. */
  plain: async ({ javaScriptEnabled }, use) => { await use(javaScriptEnabled === false); },

  /** A name that no other test of this run uses. */
  unique: async ({ plain }, use) => { await use((name) => (plain ? `${name} without scripts` : name)); },

  /** What pages did that no page may do; a test fails when it is not empty at its end. */
  faults: [async ({}, use) => {
    const faults = [];
    await use(faults);
    expect(faults, 'errors of pages, of the console, requests to other hosts').toEqual([]);
  }, { auto: true }],

  /** open(who, options) returns a page of its own browser context in which who is signed in. Without who nobody is. */
  open: async ({ browser, baseURL, javaScriptEnabled, faults }, use) => {
    const contexts = [];
    await use(async (who, options = {}) => {
      const context = await browser.newContext({
        baseURL, javaScriptEnabled, ...(who && { storageState: sessionFile(who) }), ...options,
      });
      contexts.push(context);
      watch(context, options.baseURL ?? baseURL, faults);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

function watch(context, baseURL, faults) {
  context.on('weberror', (error) => faults.push(`error: ${error.error()}`));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !statusNoise.test(message.text())) {
      faults.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== baseURL) faults.push(`other host: ${request.url()}`);
  });
  context.on('dialog', async (dialog) => {
    if (dialog.type() !== 'beforeunload') faults.push(`dialog: ${dialog.message()}`);
    await dialog.accept();
  });
}
