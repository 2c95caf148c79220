// The grid as its readers want it: further columns, dense rows, the mail to a contact, a secret that was pasted. In
// Initech, which first.js filled with sixty apps without secrets.
import { inspect } from './axe.js';
import { expect, test, traffic } from './fixtures.js';
import { register } from './pages.js';

const rows = (page) => page.locator('#results tbody tr');
const heads = (page) => page.locator('#results thead th');

test('further columns are chosen, stay through all that is clicked, and go @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps?sort=created');
  await expect(heads(page)).toHaveCount(9);
  const choose = async (...boxes) => {
    await page.getByRole('button', { name: 'Columns' }).click();
    const form = page.locator('#columns');
    for (const name of boxes) await form.getByLabel(name).click();
    await form.getByRole('button', { name: 'Show' }).click();
  };
  await choose('Scopes', 'Contact');
  await expect(page).toHaveURL('/apps?cols=contact%2Cscopes&sort=created');
  await expect(heads(page)).toHaveCount(11);
  await expect(rows(page).first().getByRole('cell').nth(7)).toHaveText('Ida Nowak');
  await expect(rows(page).first().getByRole('cell').nth(8)).toHaveText('1');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Compact' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-density', 'compact');
  await page.getByLabel('Search apps').fill('worker');
  if (plain) await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(rows(page)).toHaveCount(10);
  await expect(page).toHaveURL(/cols=contact%2Cscopes/);
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: '25' }).click();
  await expect(page).toHaveURL('/apps?cols=contact%2Cscopes&density=compact&per=25&q=worker&sort=name');
  await expect(heads(page)).toHaveCount(11);
  await choose('Scopes', 'Contact');
  await expect(page).toHaveURL((url) => !url.searchParams.has('cols') && url.searchParams.get('density') === 'compact' && url.searchParams.get('q') === 'worker');
  await expect(heads(page)).toHaveCount(9);
});

test('a row leads to the prepared mail, which asks for nothing but a program for mail @plain', async ({ open, plain }) => {
  const page = await open('initech');
  await page.goto('/apps?q=worker');
  const name = await rows(page).first().getByRole('rowheader').getByRole('link').textContent();
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('link', { name: 'Mail the contact' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Mail the contact of ${name}`);
  const href = await page.getByRole('link', { name: 'Open in your mail program' }).getAttribute('href');
  const mail = new URL(href);
  expect([...mail.searchParams.keys()]).toEqual(['subject', 'body']);
  await expect(page.getByLabel('Address', { exact: true })).toHaveValue(decodeURIComponent(mail.pathname));
  await expect(page.getByLabel('Subject', { exact: true })).toHaveValue(mail.searchParams.get('subject'));
  await expect(page.getByLabel('Text', { exact: true })).toHaveValue(mail.searchParams.get('body').replaceAll('\r\n', '\n'));
  if (!plain) {
    await page.getByRole('button', { name: 'Copy the subject' }).click();
    await expect(page.locator('#status')).not.toHaveText('');
  }
});

test('a secret that is pasted is kept back, and its app is found by a form that is posted @plain', async ({ open, plain }) => {
  const page = await open('admin');
  const app = await register(page, { name: `Pasted ${plain ? 'plainly' : 'with a script'}` });
  const before = traffic().length;
  await page.goto('/apps');
  await page.getByLabel('Search apps').fill(app.secret);
  if (plain) {
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await expect(page).toHaveURL('/apps?hint=secret');
  } else {
    await expect(page.getByLabel('Search apps')).toHaveValue('');
    expect(traffic().slice(before).filter(({ path }) => path.includes('ccws'))).toEqual([]);
  }
  await page.getByRole('link', { name: 'Revoke it' }).click();
  await page.getByLabel('Client secret', { exact: true }).fill(app.secret);
  await page.getByRole('button', { name: 'Find its app' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(app.name);
  await expect(page.getByRole('radio', { name: 'The secret has leaked' })).toBeChecked();
  await page.getByRole('button', { name: /^End/ }).click();
  await expect(page).toHaveURL(`/apps/${app.id}`);
});

test('axe: further columns, their choice, the prepared mail and the form for a secret', async ({ open }) => {
  test.setTimeout(90_000);
  const page = await open('initech');
  for (const [name, path] of Object.entries({
    columns: '/apps?cols=contact,user,scopes&per=25', dense: '/apps?cols=contact&density=compact&per=25', secret: '/apps/pasted', hint: '/apps?hint=secret&per=25',
  })) {
    await page.goto(path);
    await inspect(page, name);
  }
  await page.goto('/apps?cols=user&per=25');
  await page.getByRole('button', { name: 'Columns' }).click();
  await inspect(page, 'the choice of columns');
  await page.goto(`${await rows(page).first().getByRole('rowheader').getByRole('link').getAttribute('href')}/mail`);
  await inspect(page, 'mail');
});

test('at 390 px a long list keeps all it says, and nothing is wider than the window', async ({ open }) => {
  const page = await open('initech');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/apps?cols=contact,user,scopes');
  const row = rows(page).first();
  for (const cell of await row.getByRole('cell').all()) {
    await expect(cell).toBeVisible();
    const box = await cell.boundingBox();
    expect(box.x + box.width).toBeLessThanOrEqual(390);
  }
  await expect(row.locator('td[data-label="Scopes"]')).toBeVisible();
  await expect(page.getByRole('columnheader', { name: 'Last modified' })).toBeVisible(); // sorts there too
});
