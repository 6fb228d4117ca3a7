import { createHash } from 'node:crypto';
import { isUUID } from 'class-validator';
import { parseEmailAddress } from '../../platform/addresses/email-address.js';
import { parsePhoneNumber } from '../../platform/addresses/phone-number.js';
import { Problem } from '../../platform/errors/problem.js';
import { JSON_LIMITS, JsonFault, readJson } from '../../platform/json/read-json.js';

/** A batch of events has many values; the limit of its bytes bounds the work. */
const LIMITS = { ...JSON_LIMITS, values: 200_000, illFormedTexts: true };
const MAX_KEY = 200;
const MAX_DETAIL = 500;

/** Providers add fields at any time: whatever is not looked for is ignored. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws Problem malformed_request */
export function jsonOf(text: string): unknown {
  try {
    return readJson(text, LIMITS);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw new Problem('malformed_request', `the body is refused: ${error.detail}`);
  }
}

/** @throws Problem malformed_request if the body is not a JSON object */
export function jsonObjectOf(text: string): Fields {
  const value = jsonOf(text);
  if (!isObject(value)) throw new Problem('malformed_request', 'the body must be a JSON object');
  return value;
}

/** The object at this name; empty if there is none. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** The list at this name; empty if there is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that PostgreSQL can store; null for an empty one and for anything else. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return null;
  const text = value
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return text === '' ? null : text;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An instant as text (RFC 3339) or in seconds since 1970; null if it is neither, or not of our time. */
export function instantOf(value: unknown): Date | null {
  const isNumber =
    typeof value === 'number' || (typeof value === 'string' && /^\d{9,11}(?:\.\d+)?$/.test(value));
  const ms = isNumber ? Number(value) * 1_000 : typeof value === 'string' ? Date.parse(value) : NaN;
  return ms > 0 && ms < 4e12 ? new Date(ms) : null;
}

/** Our own id of a message from its Message-ID (`<id@domain>`); null for a foreign one. */
export function messageIdOf(value: unknown): string | null {
  const local = textOf(value)?.replace(/^<|>$/g, '').split('@')[0] ?? '';
  return isUUID(local) ? local.toLowerCase() : null;
}

/** An address as rows are compared; null if the channel has no such address. */
export function addressOf(channel: 'email' | 'sms', value: unknown): string | null {
  const written = textOf(value);
  if (written === null) return null;
  return channel === 'sms' ? parsePhoneNumber(written) : (parseEmailAddress(written)?.toLowerCase() ?? null);
}

/** A key of these parts; a long one is replaced by its hash. */
export function keyOf(...parts: readonly (string | null)[]): string {
  const key = parts.map((part) => part ?? '').join(':');
  return key.length <= MAX_KEY ? key : createHash('sha256').update(key).digest('hex');
}

/** A key of these parts, one of which is an address: an event outlives the erasure of its recipient. */
export function hashedKeyOf(...parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The provider's words without addresses and numbers of people: an event outlives their erasure. */
export function wordsOf(...parts: readonly unknown[]): string | null {
  const words = parts.flatMap((part) => textOf(part) ?? []).join(': ');
  const clean = words.replace(/[^\s<>"]+@[^\s<>"]+/g, '…').replace(/\+?\d{9,15}/g, '…');
  return clean === '' ? null : clean.slice(0, MAX_DETAIL).replace(/\p{Cs}/gu, '\ufffd');
}
