// The tour: every page of the table of routes, in the states that people meet, against a server of its own whose mails
// are taken. What no page may do is watched as everywhere; the commands that pages print are run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './fixtures.js';
import { Mailbox } from './mailbox.js';
import { withServer } from './ownserver.js';
import { signIn } from './pages.js';
import { run } from './server.js';
import { complete, furnish, show, views } from './views.js';

/** Runs a command as it stands, with what the lines before it put into variables, and returns what it answers. */
async function answerTo(text, variables) {
  const { code, stdout, stderr } = await run('bash', ['--norc', '-c', text], { env: { PATH: process.env.PATH, ...variables } });
  expect({ code, stderr }, text).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Runs the commands of a page that are of a kind not run before, where the secret of their app is known. */
async function runCommands(page, secrets, done) {
  for (const text of await page.locator('pre').allInnerTexts()) {
    if (!text.includes('curl')) continue;
    const clientID = /CCW[A-Z0-9]+_[0-9a-z]{20}/.exec(text)?.[0];
    const kind = text.replace(clientID, 'CLIENT').replace(/scope=\S+/, 'scope=SCOPE');
    if (!secrets[clientID]) done.set(kind, done.get(kind) ?? false);
    if (!secrets[clientID] || done.get(kind)) continue;
    const answer = await answerTo(text, { CCW_SECRET: secrets[clientID], CCW_TOKEN: secrets.token });
    expect(answer.error, text).toBeUndefined();
    expect(answer.token_type ?? answer.client_id, text).toBeTruthy();
    if (answer.access_token) secrets.token = answer.access_token;
    done.set(kind, true);
  }
}

// What these print is run by TestUI13_APICommands and TestRobotRequest, which give an app the rights that it takes.
const elsewhere = /^(api|robot)/;

test('every page keeps to its policy and to its window, and its commands do what they say (UI2, UI13)', async ({ open }) => {
  test.setTimeout(240_000);
  const mailbox = await Mailbox.listen();
  await withServer({ CREDENZA_SMTP_URL: mailbox.url }, async (server) => {
    const enter = async (email) => {
      const page = await open(undefined, { baseURL: server.url });
      if (!email) return page;
      await page.goto('/signin');
      await signIn(page, email, server.env.CREDENZA_DEMO_PASSWORD);
      await expect(page).toHaveURL(`${server.url}/`);
      return page;
    };
    const things = await furnish(server, mailbox, enter);
    const list = views(things);
    complete(list);
    const people = {};
    const [faults, commands] = [[], new Map()];
    let shot = 0;
    for (const [name, view] of Object.entries(list)) {
      const page = people[view[0]] ??= await enter(view[0]);
      await page.setViewportSize({ width: 1280, height: 800 });
      await show(page, view, shot += 1);
      await page.waitForLoadState();
      if (!elsewhere.test(name)) await runCommands(page, things.secrets, commands);
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 800 });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (over > 0) faults.push(`${name} scrolls sideways by ${over} px at ${width}`);
      }
      const heading = (await page.locator('main h1').first().textContent()).trim();
      if (!heading || /reference/i.test(heading)) faults.push(`${name} is headed ${heading}`);
    }
    expect(faults).toEqual([]);
    expect(commands.size).toBeGreaterThan(2); // a token, the app's own record, introspection
    expect([...commands].filter(([, ran]) => !ran)).toEqual([]);
    expect(mailbox.mails.length).toBeGreaterThan(3);
    for (const secret of Object.values(things.secrets)) expect(mailbox.text).not.toContain(secret.slice(5));
    expect(readFileSync(join(server.dir, 'out', 'stderr'), 'utf8')).not.toMatch(/content security policy violated|"level":"ERROR"/);
  });
  await mailbox.close();
});
