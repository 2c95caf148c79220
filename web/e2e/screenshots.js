// Pictures of every page, for people to look at: `npm run screenshots -- DIRECTORY [page …]`, pages as regular
// expressions. Each page at 1280 and 390 px, light and dark; a route that no picture shows is an error. With
// `--docs FILE` only the picture of the README is made.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium as playwright } from '@playwright/test';
import { chromium } from './chromium.js';
import { Mailbox } from './mailbox.js';
import { register, signIn } from './pages.js';
import { Server } from './server.js';
import { complete, furnish, show, views } from './views.js';

const widths = { 1280: 800, 390: 844 };
const themes = ['light', 'dark'];
const [first, ...rest] = process.argv.slice(2);
if (!first) throw new Error('Name the directory for the pictures.');

const mailbox = await Mailbox.listen();
const server = await Server.start(() => ({ CREDENZA_SMTP_URL: mailbox.url }));
const browser = await playwright.launch({ executablePath: chromium(), args: ['--disable-gpu', '--disable-quic'] });

/** Opens a page of somebody who is signed in; without an address nobody is. */
async function open(email, options = {}) {
  const context = await browser.newContext({
    baseURL: server.url, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, ...options,
  });
  context.on('page', (page) => page.on('dialog', (dialog) => dialog.accept()));
  const page = await context.newPage();
  if (email) {
    await page.goto('/signin');
    await signIn(page, email, server.env.CREDENZA_DEMO_PASSWORD);
    await page.waitForURL(`${server.url}/`);
  }
  return page;
}

const tells = /^(detail|rejections|unknown|home)/;

/** Waits until pages tell of the refused requests. */
async function told(page, app) {
  for (let found = 0; found === 0; found = await page.locator('.rejections-table').count()) {
    await page.waitForTimeout(1000);
    await page.goto(`/apps/${app}`);
  }
}

async function all(directory, wanted) {
  mkdirSync(directory, { recursive: true });
  const things = await furnish(server, mailbox, open);
  const list = views(things);
  complete(list);
  if (wanted.length === 0 || wanted.some((name) => tells.test(name))) await told(await open('admin@acme.example'), things.id);
  const pages = {};
  let shots = 0;
  for (const [name, view] of Object.entries(list)) {
    if (wanted.length > 0 && !wanted.some((part) => new RegExp(`^(${part})$`).test(name))) continue;
    const page = pages[view[0]] ??= await open(view[0]);
    for (const [width, height] of Object.entries(widths)) {
      for (const colorScheme of themes) {
        await page.setViewportSize({ width: Number(width), height });
        await page.emulateMedia({ colorScheme });
        await show(page, view, shots += 1);
        await page.screenshot({ path: join(directory, `${name}-${width}-${colorScheme}.png`), fullPage: !/menu|dialog/.test(name) });
      }
    }
  }
  console.log(`${shots} pictures are in ${directory}.`);
}

/** The grid of a working day, for the README. */
async function docs(file) {
  const page = await open('admin@acme.example', { colorScheme: 'light' });
  await furnish(server, mailbox, open);
  for (const [name, category, user, scopes] of [
    ['Coupa invoice archive', 'Customer', /client user/, ['core.invoice.read']],
    ['Candidate screening', 'Partner', /supplier user/, ['ccw.candidates']],
  ]) await register(page, { name, category, user, scopes });
  await page.goto('/apps');
  await page.screenshot({ path: file, scale: 'css' });
  console.log(`The picture is ${file}.`);
}

try {
  if (first === '--docs') await docs(resolve(rest[0]));
  else await all(resolve(first), rest);
} finally {
  await browser.close();
  await server.remove();
  await mailbox.close();
}
