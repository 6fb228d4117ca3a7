import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ForgedEvent, type HookRequest } from './provider-event.js';

/** How long a signature is valid, in ms. Within this time the key of an event detects a repetition. */
export const SIGNATURE_AGE_MS = 5 * 60_000;

/** Compares in constant time, whatever the lengths. */
export function isSame(one: string | Buffer, other: string | Buffer): boolean {
  const hash = (text: string | Buffer) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

/** @throws ForgedEvent if it is not the signature */
export function requireSignature(is: boolean): void {
  if (!is) throw new ForgedEvent('signature');
}

/**
 * @param at ms since 1970; null if the request does not say
 * @param age_ms how old it may be
 * @throws ForgedEvent if it is older, or from the future
 */
export function requireRecent(at: number | null, now: Date, age_ms = SIGNATURE_AGE_MS): void {
  const age = at === null ? NaN : now.getTime() - at;
  if (!(age <= age_ms && age >= -SIGNATURE_AGE_MS)) throw new ForgedEvent('timestamp');
}

/** @param algorithm of node:crypto */
export function hmac(algorithm: 'sha1' | 'sha256', key: string | Buffer, text: string | Buffer): Buffer {
  return createHmac(algorithm, key).update(text).digest();
}

/** A header that must not be repeated; empty if it is missing. */
export function headerOf({ headers }: Pick<HookRequest, 'headers'>, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

/** Seconds since 1970 as ms; null for anything else. */
export function secondsOf(value: unknown): number | null {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^\d{9,11}$/.test(text) ? Number(text) * 1_000 : null;
}
