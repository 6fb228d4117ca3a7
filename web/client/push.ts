import type { ApiClient } from './api-client.js';
import { browserName } from './browser-name.js';
import {
  type BrowserPushManager,
  deviceIn,
  type Devices,
  PushSubscriptions,
  within,
} from './push-subscription.js';

/** The build writes it there (web/vite.config.mjs). At the root, it is responsible for all pages. */
const WORKER = '/push-worker.js';

/**
 * - `insecure`: the page was not loaded over https.
 * - `unsupported`: this browser has no Web Push.
 * - `unconfigured`: the server has no VAPID keys.
 * - `denied`: the person does not allow notifications; only the settings of the browser change that.
 */
export type PushState = 'insecure' | 'unsupported' | 'unconfigured' | 'denied' | 'off' | 'on';

export interface PushView {
  state: PushState;
  /** Of this browser; null: it is none of the person's devices. */
  deviceId: string | null;
}

type Permission = 'default' | 'denied' | 'granted';

interface Registration {
  readonly pushManager: BrowserPushManager;
  readonly active: { readonly scriptURL: string } | null;
}

/** The part of a page's `window` that pushes need: this file is also loaded by Node. */
interface Scope {
  isSecureContext?: boolean;
  PushManager?: unknown;
  Notification?: { readonly permission: Permission; requestPermission(): Promise<Permission> };
  navigator?: {
    readonly userAgent: string;
    readonly serviceWorker?: {
      readonly ready: Promise<Registration>;
      getRegistration(url: string): Promise<Registration | undefined>;
      register(url: string): Promise<unknown>;
    };
  };
}

/** What a browser needs for Web Push. */
interface Parts {
  notifications: NonNullable<Scope['Notification']>;
  workers: NonNullable<NonNullable<Scope['navigator']>['serviceWorker']>;
  userAgent: string;
}

/** Web Push in this browser, for the person who is signed in. Only `turnOn` asks them anything. */
export class BrowserPush {
  constructor(private readonly api: ApiClient) {}

  /** @param devices of `GET me/devices` */
  async view(devices: Devices): Promise<PushView> {
    const parts = this.parts();
    if (typeof parts === 'string') return { state: parts, deviceId: null };
    const manager = await managerOf(parts);
    const device = await deviceIn(devices, (await manager?.getSubscription()) ?? null);
    const deviceId = device?.id ?? null;
    if (devices.web_push_public_key === null) return { state: 'unconfigured', deviceId };
    if (parts.notifications.permission === 'denied') return { state: 'denied', deviceId };
    return { state: deviceId === null ? 'off' : 'on', deviceId };
  }

  /**
   * Asks for the permission, subscribes and registers the device. Call it in a click: browsers ask only then.
   * @returns false: the person did not allow it @throws RequestError, or what the browser throws
   */
  async turnOn(publicKey: string): Promise<boolean> {
    const parts = this.parts();
    if (typeof parts === 'string') return false;
    // First: after something else was awaited, it is no longer part of the click.
    if ((await parts.notifications.requestPermission()) !== 'granted') return false;
    await this.subscribe(parts, publicKey);
    return true;
  }

  /** Unsubscribes and deletes the device. @throws RequestError */
  async turnOff(): Promise<void> {
    const parts = this.parts();
    const manager = typeof parts === 'string' ? null : await managerOf(parts);
    if (manager !== null) await new PushSubscriptions(this.api, manager).end();
  }

  /**
   * At the start, with somebody signed in: ends the subscription of somebody else, renews theirs. Asks the server nothing
   * where there is no subscription, unless one is wanted.
   * @param isWanted they had turned it on here: if the subscription is gone, it is made again
   * @returns `ended`: there was one, and it is no longer theirs @throws RequestError, or what the browser throws
   */
  async keep(isWanted: boolean): Promise<'on' | 'off' | 'ended'> {
    const parts = this.parts();
    if (typeof parts === 'string') return 'off';
    const manager = await managerOf(parts);
    const old = (await manager?.getSubscription()) ?? null;
    if (manager !== null && old !== null)
      return (await new PushSubscriptions(this.api, manager).keep(old)) ? 'on' : 'ended';
    // Without the permission, subscribing would ask for it.
    if (!isWanted || parts.notifications.permission !== 'granted') return 'off';
    const { web_push_public_key: publicKey } = await this.api.get('/api/v1/me/devices');
    if (publicKey === null) return 'off';
    await this.subscribe(parts, publicKey);
    return 'on';
  }

  private async subscribe({ workers, userAgent }: Parts, publicKey: string): Promise<void> {
    await workers.register(WORKER);
    const { pushManager } = await within(workers.ready);
    await new PushSubscriptions(this.api, pushManager).begin(publicKey, browserName(userAgent));
  }

  private parts(): Parts | 'insecure' | 'unsupported' {
    const { isSecureContext, PushManager, Notification: notifications, navigator } = globalThis as Scope;
    if (isSecureContext !== true) return 'insecure';
    const workers = navigator?.serviceWorker;
    if (PushManager === undefined || notifications === undefined || workers === undefined)
      return 'unsupported';
    return { notifications, workers, userAgent: navigator?.userAgent ?? '' };
  }
}

/** Null: the worker was never registered. */
async function managerOf({ workers }: Parts): Promise<BrowserPushManager | null> {
  return (await workers.getRegistration('/'))?.pushManager ?? null;
}
