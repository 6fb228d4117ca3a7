import { createHash } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import webPush from 'web-push';
import { Browser as PushBrowser } from '../../../src/cli/demo/browser.js';
import { startProvider, type LocalProvider } from '../../../src/delivery/channels/provider.fixture.js';
import { launchBrowser } from '../../support/browser.js';
import { type Cast, createCast, type Person } from '../../support/cast.js';
import { until } from '../../support/until.js';
import { createWorld, type World } from '../../support/world.js';
import {
  axeViolations,
  contrastFaults,
  type ConsoleTab,
  focused,
  openConsole,
  overflow,
  signInByCookie,
  tabTo,
} from '../support/console-page.js';
import { deliverer, PushPart } from './pushes.fixture.js';

/** N6: Web Push in the console: real pages and a real service worker; the person and the push service are the test's. */
const VAPID = webPush.generateVAPIDKeys();
const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const ON = 'Recevoir les notifications push dans ce navigateur';
const OFF = 'Ne plus recevoir les notifications push dans ce navigateur';

let service: LocalProvider;
let world: World;
let cast: Cast;
let url: string;
let browser: Browser;
let context: BrowserContext;
let pushes: PushPart;
let tab: ConsoleTab | undefined;

beforeAll(async () => {
  service = await startProvider({ status: 201 });
  world = await createWorld({
    env: {
      API_REQUESTS_PER_MINUTE: '0',
      VAPID_PUBLIC_KEY: VAPID.publicKey,
      VAPID_PRIVATE_KEY: VAPID.privateKey,
      VAPID_SUBJECT: 'mailto:admin@vigie.example',
      WEB_PUSH_SERVICES: service.url,
    },
  });
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  url = (await world.app.getUrl()).replace(/\/$/, '');
  browser = await launchBrowser();
}, 90_000);
jest.setTimeout(60_000);
beforeEach(async () => {
  context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'fr-FR',
    userAgent: CHROME,
  });
  context.setDefaultTimeout(15_000);
  pushes = new PushPart(service.url);
  await pushes.enter(context);
});
afterEach(async () => {
  const faults = tab?.faults;
  await context.close();
  await world.sql('DELETE FROM devices');
  expect(faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await world.close();
  await service.close();
});

/** Opens a person's own page, signed in as they are. */
async function open(person: Person): Promise<Page> {
  await tab?.page.close();
  await signInByCookie(context, url, { ...person, tenant: cast.tenant.slug });
  tab = await openConsole(context, url, `/people/${person.id}`);
  return tab.page;
}
const fingerprint = (endpoint: string) => createHash('sha256').update(`web_push ${endpoint}`).digest('hex');
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const devices = () => world.sql<{ name: string; user_id: string }>('SELECT name, user_id FROM devices');
const ofAlice = () => [{ name: 'Chrome (Linux)', user_id: cast.admin.id }];
async function turnOn(page: Page): Promise<void> {
  await button(page, ON).click();
  await button(page, OFF).waitFor();
}

it('N6: asks nothing until a click, then once; this browser is a device until it is turned off', async () => {
  const page = await open(cast.admin);
  await button(page, ON).waitFor();
  expect(pushes.calls).toEqual([]);
  await tabTo(page, new RegExp(`^${ON}$`));
  await page.keyboard.press('Enter');
  await button(page, OFF).waitFor();
  expect(await focused(page)).toBe(OFF);
  expect(pushes.calls).toEqual(['ask', `subscribe ${VAPID.publicKey}`]);
  expect(await devices()).toEqual(ofAlice());
  const row = page
    .getByRole('listitem')
    .filter({ hasText: 'Chrome (Linux)' })
    .filter({ hasText: 'Ce navigateur' });
  await row.waitFor();
  await page.getByText('Ce navigateur affiche les notifications').waitFor();
  expect(await axeViolations(page)).toEqual([]);
  expect(await contrastFaults(page, 'dark')).toEqual([]);
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await overflow(page)).toBe(0);

  await page.reload();
  await button(page, OFF).waitFor();
  await button(page, OFF).dblclick();
  await button(page, ON).waitFor();
  expect(pushes.calls.slice(2)).toEqual(['unsubscribe']);
  expect(await devices()).toEqual([]);
  // Removed from the list, it is turned off as well.
  await turnOn(page);
  await row.getByRole('button', { name: 'Retirer Chrome (Linux)' }).click();
  await button(page, ON).waitFor();
  expect([pushes.browser, await devices()]).toEqual([null, []]);
});

it('N6: a refusal is said in words, registers nothing, and can be tried again', async () => {
  const page = await open(cast.admin);
  pushes.answer = 'denied';
  await button(page, ON).click();
  await page.getByText('Ce navigateur refuse les notifications de ce site.').waitFor();
  expect(pushes.calls).toEqual(['ask']);
  // Allowed meanwhile; then the push service fails, then it is one that the server does not know.
  Object.assign(pushes, { answer: 'granted', nextEndpoint: null });
  await button(page, ON).click();
  await page.getByText('Le navigateur n’a pas pu s’abonner').waitFor();
  pushes.nextEndpoint = 'https://push.example/abc';
  await button(page, ON).click();
  await page.getByText('Ce serveur n’accepte pas le service de push').waitFor();
  expect([pushes.browser, await devices()]).toEqual([null, []]);
  await turnOn(page);
  expect(await devices()).toEqual(ofAlice());
});

it('N6: in a browser without pushes, or without https, says why there is no button', async () => {
  const page = await open(cast.admin);
  for (const [change, text] of [
    ['delete window.PushManager', 'Ce navigateur ne peut pas recevoir de notifications push.'],
    [`Object.defineProperty(window, 'isSecureContext', { get: () => false })`, 'adresse sécurisée'],
  ] as const) {
    await page.addInitScript(change);
    await page.reload();
    await page.getByText(text).waitFor();
    expect(await page.getByRole('button', { name: /push/ }).count()).toBe(0);
  }
});

it('N6: the worker shows what the server sends, once, and a click opens it in the console', async () => {
  const page = await open(cast.admin);
  await turnOn(page);
  const { body: sent } = await world.http('POST', '/api/v1/notifications', {
    token: cast.admin.token,
    body: {
      channel: 'push',
      subject: 'Relance <b>TVA</b>',
      body: 'Bonjour',
      send_now: true,
      user_ids: [cast.admin.id],
    },
  });
  const content = JSON.stringify(pushes.browser!.read(service.received.at(-1)!.bytes));
  const deliver = await deliverer(page);
  const shown = () =>
    page.evaluate<{ title: string; body: string; tag: string; data: string }[]>(
      `navigator.serviceWorker.ready.then((registration) => registration.getNotifications())
        .then((all) => all.map(({ title, body, tag, data }) => ({ title, body, tag, data })))`,
    );
  const shownAt = () =>
    page.evaluate<number>(
      `navigator.serviceWorker.ready.then((registration) => registration.getNotifications())
        .then((all) => all[0]?.timestamp ?? 0)`,
    );
  await deliver(content);
  const first = await until('the notification', shownAt);
  await deliver(content);
  await until('the same again, in its place', async () => (await shownAt()) > first);
  const { id } = sent.notifications[0];
  const notification = {
    title: 'Relance <b>TVA</b>',
    body: 'Bonjour',
    tag: JSON.parse(content).id,
    data: `/notifications/${id}?tenant=${cast.tenant.slug}`,
  };
  await deliver('not what the server sends');
  const unreadable = { title: 'Vigie', body: '', tag: '', data: '/notifications' };
  await until('both', async () => (await shown()).length > 1);
  expect(await shown()).toEqual(expect.arrayContaining([notification, unreadable]));
  expect(await shown()).toHaveLength(2);

  const isListening = () => page.evaluate<boolean>('navigator.serviceWorker.onmessage !== null');
  await until('the console to listen', isListening);
  const [worker] = context.serviceWorkers();
  await worker!.evaluate(`self.registration.getNotifications().then((all) => {
    const notification = all.find(({ title }) => title !== 'Vigie');
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  })`);
  await page.getByRole('heading', { level: 1, name: 'Relance <b>TVA</b>' }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/notifications/${id}`);
  expect(await shown()).toEqual([unreadable]);
});

describe('N6: on a shared browser', () => {
  it('signing out ends the pushes of this person; signing in again resumes them, for nobody else', async () => {
    let page = await open(cast.admin);
    await turnOn(page);
    await page.locator('details.account summary').click();
    await button(page, 'Se déconnecter').click();
    await page.waitForURL(/sign-in/);
    expect([pushes.browser, await devices()]).toEqual([null, []]);
    page = await open(cast.teammate);
    await button(page, ON).waitFor();
    await open(cast.admin);
    await until('the device', async () => (await devices()).length === 1);
    expect(await devices()).toEqual(ofAlice());
    expect(pushes.calls.filter((call) => call === 'ask')).toHaveLength(1);
  });

  it('ends a subscription that an earlier person has left, and one that was removed elsewhere', async () => {
    let page = await open(cast.admin);
    await turnOn(page);
    // Their session has ended without signing out.
    await context.clearCookies();
    page = await open(cast.teammate);
    await until('the end', () => pushes.browser === null);
    await button(page, ON).waitFor();
    expect(await devices()).toEqual(ofAlice());

    await open(cast.admin);
    await until('the resumption', () => pushes.browser !== null);
    await until('the device', async () => (await devices()).length === 2);
    await world.sql('DELETE FROM devices');
    await open(cast.admin);
    await until('the end', () => pushes.browser === null);
    const { length } = pushes.calls;
    page = await open(cast.admin);
    await button(page, ON).waitFor();
    expect(pushes.calls).toHaveLength(length);
  });
});

it('N6: a subscription of an older key, or that the browser has ended, is replaced without a question', async () => {
  let page = await open(cast.admin);
  await turnOn(page);
  pushes.key = webPush.generateVAPIDKeys().publicKey;
  const { endpoint: old } = pushes.browser!.subscription;
  page = await open(cast.admin);
  await until('the new one', () => pushes.key === VAPID.publicKey);
  await button(page, OFF).waitFor();
  const { endpoint } = pushes.browser!.subscription;
  expect(endpoint).not.toBe(old);
  await until('one device', async () => (await devices()).length === 1);
  expect(await devices()).toEqual(ofAlice());

  // The worker does it by itself, with no page: only its cookie says who is signed in.
  const [worker] = context.serviceWorkers();
  await page.goto('about:blank');
  await world.sql(`UPDATE devices SET name = 'mine'`);
  const renewed = new PushBrowser(`${service.url}/push/renewed`).subscription;
  await worker!.evaluate(`{
    const old = { endpoint: ${JSON.stringify(endpoint)} };
    const renewed = ${JSON.stringify(renewed)};
    PushManager.prototype.getSubscription = async () => null;
    PushManager.prototype.subscribe = async () => ({ endpoint: renewed.endpoint, toJSON: () => renewed });
    self.dispatchEvent(Object.assign(new ExtendableEvent('pushsubscriptionchange'), { oldSubscription: old }));
  }`);
  const isRenewed = async () => {
    const { body } = await world.http('GET', '/api/v1/me/devices', { token: cast.admin.token });
    const [device, ...others] = body.data;
    return others.length === 0 && device.fingerprint === fingerprint(renewed.endpoint) ? device : null;
  };
  expect(await until('the renewed device', isRenewed)).toMatchObject({ name: 'mine' });
});
