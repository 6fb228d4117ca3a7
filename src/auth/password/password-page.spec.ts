import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../../test/support/browser.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { axeViolations, contrastFaults } from '../../../test/web/support/console-page.js';

const NEW = 'une phrase que moi seul connais';

/** The page of one-time links, in a browser and under its policy. */
let world: World;
let cast: Cast;
let browser: Browser;
let url: string;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});

/** `faults`: errors and warnings of the console, including violations of the policy. */
async function open(locale: string, fragment: string): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ locale });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  await page.goto(`${url}/password${fragment}`);
  return { page, faults };
}

/** The fragment of a new person's link. */
async function link(): Promise<string> {
  const token = cast.admin.token;
  const person = { email: 'nina@example.com', name: 'Nina', role: 'member', welcome: false };
  const created = await world.http('POST', '/api/v1/users', { token, body: person });
  const answer = await world.http('POST', `/api/v1/users/${String(created.body.id)}/password-link`, {
    token,
  });
  expect(answer.status).toBe(201);
  return new URL(String(answer.body.url)).hash;
}

async function choose(page: Page, first: string, second: string): Promise<void> {
  await page.fill('#password', first);
  await page.fill('#again', second);
  await page.click('#submit');
}

test('H27: a person chooses a password in their language', async () => {
  const fragment = await link();
  const { page, faults } = await open('fr-FR', fragment);
  expect(new URL(page.url()).hash).toBe('');
  expect(await page.textContent('h1')).toBe('Choisissez votre mot de passe');
  // Only once it is saved does a link lead to the sign-in.
  expect(await page.isVisible('#sign-in')).toBe(false);
  await choose(page, 'court', 'court');
  expect(await page.textContent('[role=alert]')).toBe('Il faut au moins 12 caractères.');
  await choose(page, NEW, `${NEW}.`);
  expect(await page.textContent('[role=alert]')).toBe('Les deux mots de passe ne sont pas les mêmes.');
  expect(await axeViolations(page)).toEqual([]);
  expect(await contrastFaults(page, 'dark')).toEqual([]);
  expect(faults).toEqual([]);
  await choose(page, NEW, NEW);
  await page.getByRole('heading', { name: 'Votre mot de passe est enregistré' }).waitFor();
  expect(await page.isVisible('form')).toBe(false);
  expect(await page.isVisible('#sign-in')).toBe(true);
  expect(await page.title()).toBe('Votre mot de passe est enregistré - Vigie');
  expect(await axeViolations(page)).toEqual([]);
  expect(faults).toEqual([]);
  await page.context().close();

  const again = await open('en-GB', fragment);
  await choose(again.page, NEW, NEW);
  await again.page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  await again.page.context().close();
}, 60_000);

test('H27: a link without its token shows no form', async () => {
  const { page, faults } = await open('en-GB', '');
  await page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
  expect(await page.isVisible('form')).toBe(false);
  expect(await page.textContent('[role=status]')).toMatch(/^It was probably truncated\./);
  expect(faults).toEqual([]);
  await page.context().close();
}, 60_000);
