import type { Browser, BrowserContext, Page } from 'playwright-core';
import { LOCAL_RECEIVERS } from '../../../src/delivery/channels/webhook/webhooks.fixture.js';
import { launchBrowser } from '../../support/browser.js';
import { type Cast, createCast, type Person } from '../../support/cast.js';
import { createWorld, type World } from '../../support/world.js';
import {
  axeViolations,
  type ConsoleTab,
  contrastFaults,
  openConsole,
  overflow,
  signInByCookie,
} from '../support/console-page.js';

/** Markup, a right-to-left override, and a word that breaks nowhere. */
export const HOSTILE = `<img src=x onerror="window.hacked=1">\u202e${'W'.repeat(120)}`;

/** A server and a browser for the tests of the settings. A page of a test must be opened with `open`. */
export class SettingsOffice {
  world!: World;
  cast!: Cast;
  /** Of the server, without a slash at its end. */
  url!: string;
  context!: BrowserContext;
  tab!: ConsoleTab;
  private browser!: Browser;

  async start(): Promise<void> {
    this.world = await createWorld({ env: { ...LOCAL_RECEIVERS, API_REQUESTS_PER_MINUTE: '0' } });
    this.cast = await createCast(this.world);
    await this.world.app.listen(0, '127.0.0.1');
    this.url = (await this.world.app.getUrl()).replace(/\/$/, '');
    this.browser = await launchBrowser();
  }

  async beginTest(): Promise<void> {
    this.context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'fr-FR',
    });
    this.context.setDefaultTimeout(20_000);
  }

  async endTest(): Promise<void> {
    const { faults } = this.tab;
    await this.context.close();
    expect(faults).toEqual([]);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.world.close();
  }

  /** Opens a page, signed in as an admin by default. */
  async open(path: string, { email, password }: Person = this.cast.admin): Promise<Page> {
    const { context, url, cast } = this;
    await signInByCookie(context, url, { email, password, tenant: cast.tenant.slug });
    this.tab = await openConsole(context, url, path);
    return this.tab.page;
  }

  /** The answer of the API to an admin. */
  async api(method: string, path: string, body?: unknown) {
    return (await this.world.http(method, `/api/v1/${path}`, { token: this.cast.admin.token, body })).body;
  }
}

/** The office of a spec file: its hooks start it, and give each test a browser context of its own. */
export function settingsOffice(): SettingsOffice {
  // A busy machine renders slowly; nothing here measures time.
  jest.setTimeout(90_000);
  const office = new SettingsOffice();
  beforeAll(() => office.start(), 60_000);
  beforeEach(() => office.beginTest());
  afterEach(() => office.endTest());
  afterAll(() => office.close());
  return office;
}

export const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
export const confirm = (page: Page, name: string) =>
  page.locator('dialog.confirm').getByRole('button', { name }).click();

/** Axe finds nothing, also in the dark. */
export async function isAccessible(page: Page): Promise<void> {
  expect(await axeViolations(page)).toEqual([]);
  expect(await contrastFaults(page, 'dark')).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** The addresses of the requests that the page sends from now on. */
export function requestsTo(page: Page, method: string, path: RegExp): string[] {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === method && path.test(request.url())) sent.push(request.url());
  });
  return sent;
}

/** Markup, a right-to-left override, and a word that breaks nowhere. */
export const LONG = `<img src=x onerror="window.hacked=1">\u202e${'W'.repeat(1_000)}`;
const FIELDS = ':is(input[type=text], input[type=url], textarea):visible';

/**
 * Types it into all fields, which cut it at their `maxlength`; then sets all of it by script.
 * @returns the names of the fields
 */
export async function fillAll(page: Page, within: string): Promise<string[]> {
  const fields = page.locator(`${within} ${FIELDS}`);
  const names: string[] = [];
  for (const field of await fields.all()) {
    names.push((await field.getAttribute('name')) ?? '');
    await field.fill(LONG);
    const limit = Number(await field.getAttribute('maxlength'));
    expect((await field.inputValue()).length).toBe(Math.min(limit, LONG.length));
    await field.evaluate((one, text) => {
      Object.assign(one, { value: text });
      one.dispatchEvent(new Event('input', { bubbles: true }));
    }, LONG);
  }
  return names;
}
/** The names of the fields that are marked as not valid, in alphabetical order. */
export const invalid = (page: Page, within: string) =>
  page
    .locator(`${within} [aria-invalid=true]`)
    .evaluateAll((fields) => fields.map((field) => field.getAttribute('name') ?? '').sort());
/** Nothing scrolls sideways at 360 px, and no markup became a part of the page. */
export const isText = async (page: Page) => {
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await overflow(page)).toBe(0);
  expect(await page.evaluate('window.hacked')).toBeUndefined();
  await page.setViewportSize({ width: 1280, height: 800 });
};
