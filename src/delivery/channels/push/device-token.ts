import { createHash } from 'node:crypto';
import { invalid } from '../../../platform/errors/problem.js';
import { parseUrl } from '../../../platform/text/url.js';

export const DEVICE_PLATFORMS = ['fcm', 'web_push'] as const;
export type DevicePlatform = (typeof DEVICE_PLATFORMS)[number];

/** What a browser's PushManager.subscribe() gives: https://www.w3.org/TR/push-api/#pushsubscription-interface */
export interface Subscription {
  endpoint: string;
  /** base64url: an uncompressed P-256 point, and 16 bytes (RFC 8291 §3). */
  keys: { p256dh: string; auth: string };
}

/** The address of a device. */
export type DeviceToken =
  { platform: 'fcm'; token: string } | { platform: 'web_push'; subscription: Subscription };

const P256_POINT_BYTES = 65;
const AUTH_BYTES = 16;

/**
 * Refuses a subscription that could not be used, or that would make this server call something else than a push service.
 * @param services origins of push services; `*.` stands for one or more labels
 * @throws Problem validation_failed
 */
export function checkSubscription({ endpoint, keys }: Subscription, services: readonly string[]): void {
  if (!isService(endpoint, services))
    throw invalid('/subscription/endpoint', 'is not an address of a known push service');
  if (bytesOf(keys.p256dh) !== P256_POINT_BYTES)
    throw invalid('/subscription/keys/p256dh', `must be base64url of ${P256_POINT_BYTES} bytes`);
  if (bytesOf(keys.auth) !== AUTH_BYTES)
    throw invalid('/subscription/keys/auth', `must be base64url of ${AUTH_BYTES} bytes`);
}

/** Whether a URL has the origin of one of these push services, and no user name. */
export function isService(endpoint: string, services: readonly string[]): boolean {
  const url = parseUrl(endpoint);
  if (url === null) return false;
  if (url.username !== '' || url.password !== '') return false;
  return services.some((service) => {
    const [protocol = '', host = ''] = service.split('://');
    if (url.protocol !== `${protocol}:`) return false;
    return host.startsWith('*.') ? url.host.endsWith(host.slice(1)) : url.host === host;
  });
}

/** Identifies the device without revealing its token. web/client/push-subscription.ts does the same. */
export function fingerprintOf(token: DeviceToken): Buffer {
  const address = token.platform === 'fcm' ? token.token : token.subscription.endpoint;
  return createHash('sha256').update(`${token.platform} ${address}`).digest();
}

function bytesOf(text: string): number {
  return /^[\w-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url').length : -1;
}
