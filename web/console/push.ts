import type { ApiClient } from '../client/api-client.js';
import { BrowserPush, type PushView } from '../client/push.js';
import { isOpenPage } from '../client/push-messages.js';
import type { Devices } from '../client/push-subscription.js';
import type { Me } from './context.js';
import { store, stored } from './stored.js';

/** Signing out, and the list of devices, wait no longer for the browser's push service and the server. */
const WAIT_MS = 3_000;

/** The look at the subscription when the console starts; it is loaded anew for another person. */
let looking: Promise<void> | null = null;

/**
 * Web Push in this browser, for one person. It remembers who turned it on: signing out ends the subscription, so that
 * nobody else sees that person's notifications, and signing in again makes a new one without a question.
 */
export class ConsolePush {
  private readonly browser: BrowserPush;

  constructor(
    api: ApiClient,
    private readonly me: Me,
  ) {
    this.browser = new BrowserPush(api);
  }

  /** @param devices of `GET me/devices` */
  view(devices: Devices): Promise<PushView> {
    return this.browser.view(devices);
  }

  /** Call it in a click. @param publicKey the server's VAPID key @throws RequestError, or what the browser throws */
  async turnOn(publicKey: string): Promise<void> {
    if (await this.browser.turnOn(publicKey)) store('push', this.me.id);
  }

  /** @throws RequestError */
  async turnOff(): Promise<void> {
    store('push', '');
    await this.browser.turnOff();
  }

  /** At the start. @param open shows the page of a push that was clicked */
  begin(open: (url: string) => void): void {
    if ('serviceWorker' in navigator)
      navigator.serviceWorker.onmessage = ({ data, ports }: MessageEvent<unknown>) => {
        if (!isOpenPage(data)) return;
        open(data.url);
        ports[0]?.postMessage('opened');
      };
    void this.looked();
  }

  /** Resolves when the subscription has been looked at. What fails is tried again at the next start. */
  looked(): Promise<void> {
    looking ??= this.look().catch(() => undefined);
    return looking;
  }

  /** The same, but waits 3 s at most. @returns whether it has been looked at */
  settled(): Promise<boolean> {
    return atMost(this.looked());
  }

  private async look(): Promise<void> {
    const { browser, me } = this;
    // Operators have no devices.
    if (me.role === 'operator') return browser.turnOff();
    const isWanted = stored('push') === me.id;
    const state = await browser.keep(isWanted);
    if (state === 'on') store('push', me.id);
    // Removed from the list of devices, perhaps elsewhere.
    if (state === 'ended' && isWanted) store('push', '');
  }
}

/** Before signing out. What fails is repaired later: the push service refuses the next push, and the server forgets. */
export async function leavePush(api: ApiClient): Promise<void> {
  await atMost(new BrowserPush(api).turnOff().catch(() => undefined));
}

/** @returns whether it ended in time */
function atMost(act: Promise<void>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), WAIT_MS));
  return Promise.race([act.then(() => true), late]);
}
