// Many apps at once, and views that are kept. In Initech, which first.js filled with sixty apps without secrets; each test
// leaves the apps as it found them.
import { expect, test } from './fixtures.js';

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
