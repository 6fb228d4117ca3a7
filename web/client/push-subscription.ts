import type { ApiClient } from './api-client.js';
import type { components } from './api.js';

type Schemas = components['schemas'];
export type Devices = Schemas['Devices'];
export type Device = Schemas['DeviceView'];

/** A push service that answers later counts as away. */
const TIMEOUT_MS = 20_000;
/** A device is registered again this often: of more than 20, the server removes the one not seen for longest. */
const SEEN_MS = 24 * 3_600_000;

/** The part of the Push API that pages and the service worker use: https://www.w3.org/TR/push-api/ */
export interface BrowserSubscription {
  readonly endpoint: string;
  readonly options: { readonly applicationServerKey: ArrayBuffer | null };
  toJSON(): { keys?: Record<string, string> };
  unsubscribe(): Promise<boolean>;
}

export interface BrowserPushManager {
  getSubscription(): Promise<BrowserSubscription | null>;
  subscribe(options: {
    userVisibleOnly: boolean;
    applicationServerKey: string;
  }): Promise<BrowserSubscription>;
}

/**
 * The subscription of this browser, and its device on the server. A subscription belongs to the person who is signed in
 * only if the server lists it among their devices.
 */
export class PushSubscriptions {
  constructor(
    private readonly api: ApiClient,
    private readonly manager: BrowserPushManager,
  ) {}

  /**
   * Subscribes, and registers the device. The browser must have been given the permission. A subscription that exists is
   * replaced: it may be that of another person, or of another key of the server.
   * @param publicKey the server's VAPID key @throws RequestError, or what the browser throws
   */
  async begin(publicKey: string, name: string): Promise<Device> {
    const { manager, api } = this;
    await this.unsubscribe();
    const subscription = await within(
      manager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey }),
    );
    try {
      return await api.post('/api/v1/me/devices', { body: deviceOf(subscription, name) });
    } catch (error) {
      await this.unsubscribe();
      throw error;
    }
  }

  /** Unsubscribes, and deletes the device of the person who is signed in. @throws RequestError */
  async end(): Promise<void> {
    const subscription = await this.manager.getSubscription();
    if (subscription === null) return;
    // Before asking the server, which may be away: the push service then refuses the next push, which deletes the device.
    await this.unsubscribe();
    const own = await deviceIn(await this.api.get('/api/v1/me/devices'), subscription);
    if (own !== null) await this.remove(own);
  }

  /**
   * Ends a subscription that is not the signed-in person's; renews theirs if the server's key or the browser changed.
   * @param old the subscription that the server may know @param isLost the browser has ended it
   * @returns whether it is theirs @throws RequestError, or what the browser throws
   */
  async keep(old: BrowserSubscription, isLost = false): Promise<boolean> {
    const devices = await this.api.get('/api/v1/me/devices');
    const own = await deviceIn(devices, old);
    if (own === null) {
      await this.unsubscribe();
      return false;
    }
    const { web_push_public_key: key } = devices;
    if (key === null) return true;
    if (isLost || !hasKey(old, key)) {
      const renewed = await this.begin(key, own.name ?? '');
      if (renewed.id !== own.id) await this.remove(own);
    } else if (this.api.now() - Date.parse(own.seen_at) > SEEN_MS)
      await this.api.post('/api/v1/me/devices', { body: deviceOf(old, own.name ?? '') });
    return true;
  }

  private async unsubscribe(): Promise<void> {
    const subscription = await this.manager.getSubscription();
    if (subscription !== null) await within(subscription.unsubscribe());
  }

  private async remove({ id }: Device): Promise<void> {
    await this.api.delete('/api/v1/me/devices/{id}', { params: { path: { id } } });
  }
}

/** The device that is this subscription, among those of the person who is signed in, or null. */
export async function deviceIn(
  { data }: Devices,
  subscription: BrowserSubscription | null,
): Promise<Device | null> {
  if (subscription === null) return null;
  const fingerprint = await fingerprintOf(subscription.endpoint);
  return data.find((device) => device.fingerprint === fingerprint) ?? null;
}

/** What a browser answers. @throws Error after 20 s without an answer */
export async function within<Value>(asking: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the browser did not answer')), TIMEOUT_MS);
  });
  try {
    return await Promise.race([asking, late]);
  } finally {
    clearTimeout(timer);
  }
}

function deviceOf(subscription: BrowserSubscription, name: string): Schemas['NewDevice'] {
  const { endpoint } = subscription;
  const { p256dh = '', auth = '' } = subscription.toJSON().keys ?? {};
  return {
    platform: 'web_push',
    subscription: { endpoint, keys: { p256dh, auth } },
    ...(name === '' ? {} : { name }),
  };
}

/** As src/delivery/channels/push/device-token.ts. */
async function fingerprintOf(endpoint: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`web_push ${endpoint}`));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether the subscription is of this key of a server, in base64url. A browser that does not say has not changed it. */
function hasKey({ options }: BrowserSubscription, key: string): boolean {
  const { applicationServerKey: bytes } = options;
  if (bytes === null) return true;
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key.replace(/=+$/, '');
}
