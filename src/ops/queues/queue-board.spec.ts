import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../../test/support/browser.js';
import { type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Queues } from '../../platform/queues/queues.js';

/** C10, K4: operators open the board in a browser. */
let world: World;
let cast: Cast;
let browser: Browser;
let url: string;
const ids = { tenant_id: randomUUID(), bundle_id: randomUUID() };

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
  const jobs = [randomUUID(), randomUUID(), randomUUID()];
  await world.app.get(Queues).enqueue(
    'send-mail',
    jobs.map((id) => ({ id, payload: { ...ids, lease_token: id } })),
  );
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});

/** Opens a page in a fresh browser; `faults` are its console errors, and its responses of 400 and above. */
async function open(locale: string): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ locale });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  return { page, faults };
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.fill('input[name=email]', cast.operator.email);
  await page.fill('input[name=password]', password);
  await page.click('button');
}

test('an operator logs in, sees the queues and their jobs, and logs out', async () => {
  const { page, faults } = await open('en-GB');
  const requested: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  await page.goto(`${url}/ops/queues`);
  expect(new URL(page.url()).pathname).toBe('/ops/login');
  expect(await page.textContent('h1')).toBe('Operator sign-in');
  await signIn(page, 'not the password');
  expect(await page.textContent('[role=alert]')).toBe('The address or the password is wrong.');
  expect(await page.inputValue('input[name=email]')).toBe(cast.operator.email);
  expect(faults).toEqual([`401 ${url}/ops/login`]);
  await signIn(page, PASSWORD);

  await page.waitForURL(`${url}/ops/queues`);
  const card = page.locator('main a', { hasText: 'mail' }).first();
  await card.waitFor();
  await page.getByText('3 Jobs', { exact: true }).waitFor();
  for (const name of ['mail', 'checks', 'maintenance']) {
    expect(await page.getByText(name, { exact: true }).count()).toBeGreaterThan(0);
  }
  await page.goto(`${url}/ops/queues/queue/mail`);
  await page.getByText(ids.bundle_id).first().waitFor();
  expect(await page.getByText(ids.tenant_id).count()).toBe(3);
  await page.getByText('So these queues are nearly always empty.', { exact: false }).waitFor();
  // No fonts, nor anything else, from another server.
  expect(requested.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))).toEqual([]);
  expect(requested.length).toBeGreaterThan(3);
  // The board is read-only: the page has no action.
  expect(await page.getByText(/^(Pause|Empty|Retry all|Add job|Clean all)$/i).count()).toBe(0);
  expect(faults).toEqual([`401 ${url}/ops/login`]);

  await page.goto(`${url}/ops/login`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  expect(await page.textContent('[role=status]')).toBe('You are signed out.');
  await page.goto(`${url}/ops/queues`);
  expect(new URL(page.url()).pathname).toBe('/ops/login');
  await page.context().close();
}, 60_000);

test('the lease token of a job is not in its data', async () => {
  const { page } = await open('fr-FR');
  await page.goto(`${url}/ops/login`);
  expect(await page.textContent('h1')).toBe('Connexion des opérateurs');
  await signIn(page, PASSWORD);
  await page.waitForURL(`${url}/ops/queues`);
  const answer = await page.request.get(
    `${url}/ops/queues/api/queues?activeQueue=mail&status=waiting&page=1`,
  );
  const { queues } = (await answer.json()) as { queues: { name: string; jobs: { data: unknown }[] }[] };
  const mail = queues.find(({ name }) => name === 'mail');
  expect(mail?.jobs.map(({ data }) => data)).toEqual([ids, ids, ids]);
  await page.context().close();
}, 60_000);
