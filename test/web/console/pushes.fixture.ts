import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { Browser } from '../../../src/cli/demo/browser.js';
import { until } from '../../support/until.js';

/** Replaces what needs a person and a push service on the internet; the rest of the Push API is the browser's. */
const REPLACEMENT = `{
  const made = (found) => found && {
    endpoint: found.endpoint,
    options: {
      applicationServerKey: Uint8Array.from(
        atob(found.key.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0)).buffer,
    },
    toJSON: () => ({ endpoint: found.endpoint, keys: found.keys }),
    unsubscribe: () => pushPart('unsubscribe'),
  };
  PushManager.prototype.getSubscription = async () => made(await pushPart('get'));
  PushManager.prototype.subscribe = async ({ applicationServerKey }) =>
    made(await pushPart('subscribe', applicationServerKey));
  Object.defineProperty(Notification, 'permission', { get: () => localStorage.permission ?? 'default' });
  Notification.requestPermission = async () => (localStorage.permission = await pushPart('ask'));
}`;

/** A browser whose person answers as the test says, and whose push service is on this machine. */
export class PushPart {
  /** What its pages did: `ask`, `subscribe <key>`, `unsubscribe`. */
  readonly calls: string[] = [];
  answer: 'granted' | 'denied' = 'granted';
  /** The endpoint of the next subscription; null: the push service refuses. */
  nextEndpoint: string | null = null;
  browser: Browser | null = null;
  /** The server's key, as the subscription was made with. */
  key = '';
  private count = 0;

  /** @param service the URL of its push service */
  constructor(private readonly service: string) {
    this.renew();
  }

  async enter(context: BrowserContext): Promise<void> {
    await context.grantPermissions(['notifications']);
    await context.exposeFunction('pushPart', (act: string, key: string) => this.act(act, key));
    await context.addInitScript(REPLACEMENT);
  }

  private act(act: string, key: string) {
    if (act === 'get') return this.subscription;
    this.calls.push(act === 'subscribe' ? `subscribe ${key}` : act);
    if (act === 'ask') return this.answer;
    if (act === 'unsubscribe') {
      this.browser = null;
      return true;
    }
    if (this.nextEndpoint === null) throw new Error('push service error');
    this.browser = new Browser(this.nextEndpoint);
    this.key = key;
    this.renew();
    return this.subscription;
  }

  private get subscription() {
    return this.browser === null ? null : { ...this.browser.subscription, key: this.key };
  }

  private renew(): void {
    this.nextEndpoint = `${this.service}/push/${(this.count += 1)}`;
  }
}

/** Delivers pushes to a page's service worker, as the browser does once it has decrypted them. */
export async function deliverer(page: Page): Promise<(data: string) => Promise<void>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  let registrationId: string | null = null;
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find(({ isDeleted }) => !isDeleted)?.registrationId ?? registrationId;
  });
  await session.send('ServiceWorker.enable');
  const id = await until('the registration of the worker', () => registrationId);
  const { origin } = new URL(page.url());
  return (data) =>
    session
      .send('ServiceWorker.deliverPushMessage', { origin, registrationId: id, data })
      .then(() => undefined);
}
