// Many apps at once, and views that are kept. In Initech, which first.js filled with sixty apps without secrets; each test
// leaves the apps as it found them.
import { expect, test } from './fixtures.js';
import { Mailbox } from './mailbox.js';
import { withServer } from './ownserver.js';
import { signIn } from './pages.js';

const rows = (page) => page.locator('#results tbody tr');
const bar = (page) => page.getByRole('form', { name: 'Change the chosen apps' });

/** Waits for the end of the work; without a script one has to ask. */
async function finished(page, plain, text) {
  await expect(async () => {
    if (plain && await page.getByRole('link', { name: 'Refresh' }).isVisible()) await page.getByRole('link', { name: 'Refresh' }).click();
    await expect(page.getByRole('heading', { name: text })).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
}

test('what is ticked is deactivated, its results are told, and it is undone (UI1) @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps?q=status%3Aactive+worker');
  const before = await rows(page).count();
  const names = (await rows(page).getByRole('rowheader').getByRole('link').allTextContents()).slice(0, 2).map((name) => name.trim());
  if (!plain) await expect(bar(page)).toBeHidden();
  for (const name of names) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
  await expect(bar(page)).toBeVisible();
  if (!plain) await expect(bar(page).getByText('2 chosen')).toBeVisible();
  await bar(page).getByRole('button', { name: 'Deactivate' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Deactivate 2 apps');
  for (const name of names) await expect(page.getByRole('listitem').filter({ hasText: name })).toBeVisible();
  await page.getByRole('button', { name: 'Deactivate 2 apps' }).click();
  await finished(page, plain, 'Finished: 2 of 2 done.');
  await expect(page.getByText('2 apps were changed')).toBeVisible();
  await expect(page.getByRole('row', { name: names[0] })).toContainText('Done');
  await page.goto('/apps?q=status%3Aactive+worker');
  await expect(rows(page)).toHaveCount(before - 2);
  await page.goBack();
  await page.getByRole('button', { name: 'Undo what was done' }).click();
  await page.getByRole('button', { name: 'Activate 2 apps' }).click();
  await finished(page, plain, 'Finished: 2 of 2 done.');
  await page.goto('/apps?q=status%3Aactive+worker');
  await expect(rows(page)).toHaveCount(before);
});

test('all that match get another contact, and what is wrong with it is told at the field @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps?q=worker&per=5');
  await page.getByRole('checkbox', { name: /^Select / }).first().check();
  await bar(page).getByRole('checkbox', { name: /^Select all \d+ that match/ }).check();
  await bar(page).getByRole('button', { name: 'Give another contact' }).click();
  await page.getByLabel('First name').fill('Jo');
  await page.getByLabel('Last name').fill('Weber');
  await page.getByLabel('E-mail').fill('nobody');
  const send = page.getByRole('button', { name: /^Give \d+ apps another contact/ });
  await page.locator('form').evaluateAll((forms) => forms.forEach((form) => { form.noValidate = true; })).catch(() => {});
  await send.click();
  if (!plain) await expect(page.getByRole('alert')).toContainText('e-mail');
  await page.getByLabel('E-mail').fill('jo@initech.example');
  await send.click();
  await finished(page, plain, /^Finished: /);
  await page.getByRole('table').getByRole('link').first().click();
  await expect(page.locator('.contact-name')).toHaveText('Jo Weber');
});

test('a view is saved, found above the list, and deleted @plain', async ({ open, unique }) => {
  const page = await open('initech');
  await page.goto('/apps?q=category%3Apartner&sort=created&dir=desc');
  await page.getByRole('link', { name: 'Save this view' }).click();
  await page.getByLabel('Name of the view').fill(unique('Partners, latest'));
  await page.getByRole('button', { name: 'Save view' }).click();
  await expect(page.getByRole('status').first()).toContainText(`The view ${unique('Partners, latest')} is saved.`);
  await page.goto('/apps');
  const tab = page.getByRole('navigation', { name: 'Which apps' }).getByRole('link', { name: unique('Partners, latest'), exact: true });
  await tab.click();
  await expect(rows(page)).toHaveCount(15);
  await expect(page.getByRole('columnheader', { name: 'Created at' })).toHaveAttribute('aria-sort', 'descending');
  await expect(tab).toHaveAttribute('aria-current', 'page');
  await page.getByRole('link', { name: 'Saved views' }).click();
  await page.getByRole('link', { name: `Delete the view ${unique('Partners, latest')}` }).click();
  await page.getByRole('button', { name: `Delete the view ${unique('Partners, latest')}` }).click();
  await expect(page.getByText(`The view ${unique('Partners, latest')} is deleted.`)).toBeVisible();
});

test('the contacts of chosen apps are mailed, each address once, with the answer to whoever wrote @plain', async ({ browser, plain }) => {
  const mailbox = await Mailbox.listen();
  await withServer({ CREDENZA_SMTP_URL: `${mailbox.url}?from=portal@acme.example` }, async (server) => {
    const page = await (await browser.newContext({ baseURL: server.url, javaScriptEnabled: !plain })).newPage();
    await page.goto('/signin');
    await signIn(page, 'admin@acme.example', server.env.CREDENZA_DEMO_PASSWORD);
    await page.waitForURL(`${server.url}/`);
    await page.goto('/apps');
    const names = (await rows(page).getByRole('rowheader').getByRole('link').allTextContents()).slice(0, 2).map((name) => name.trim());
    for (const name of names) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    await bar(page).getByRole('button', { name: 'Mail contacts' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Mail the contacts of 2 apps');
    await expect(page.getByText('the answer goes to admin@acme.example')).toBeVisible();
    await expect(page.getByLabel('Subject')).toHaveValue(/^About apps of /);
    await page.getByLabel('Subject').fill('Are these still needed?');
    await page.getByLabel('Text').fill('Please have a look.\n\n<b>Thank you</b>');
    await page.getByRole('button', { name: /^Send \d mails?$/ }).click();
    await finished(page, plain, /^Finished: /);
    await expect(page.getByRole('button', { name: 'Undo what was done' })).toHaveCount(0);
    const addresses = await page.getByRole('table').getByRole('rowheader').count();
    await expect.poll(() => mailbox.mails.filter((mail) => mail.includes('Are these still needed?')).length, { timeout: 20_000 }).toBe(addresses);
    for (const said of ['Reply-To:', 'admin@acme.example', names[0], names[1], '&lt;b&gt;Thank you&lt;/b&gt;', 'Please have a look.']) {
      expect(mailbox.text).toContain(said);
    }

    // What is deactivated is told once for each address too.
    await page.goto('/apps');
    for (const name of names) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    await bar(page).getByRole('button', { name: 'Deactivate' }).click();
    await page.getByRole('button', { name: 'Deactivate 2 apps' }).click();
    await finished(page, plain, 'Finished: 2 of 2 done.');
    await expect.poll(() => mailbox.mails.filter((mail) => /^Subject: .*(deactivated|=\?utf-8)/im.test(mail) && !mail.includes('Are these')).length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(addresses);
    expect(mailbox.text).toContain('deactivated');
    await page.context().close();
  });
  await mailbox.close();
});

test('without a mail server the bar says why nobody can be mailed @plain', async ({ open }) => {
  const page = await open('initech');
  await page.goto('/apps?q=worker');
  await page.getByRole('checkbox', { name: /^Select / }).first().check();
  await expect(bar(page).getByText('Contacts cannot be mailed: this portal has no mail server.')).toBeVisible();
  await expect(bar(page).getByRole('button', { name: 'Mail contacts' })).toHaveCount(0);
});
