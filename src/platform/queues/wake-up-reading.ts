import type { WakeUp, WakeUps } from '../../contracts/wake-ups.js';

/** A longer message is not a wake-up: one names at most 1,000 users. */
const MAX_LENGTH = 100_000;
const MAX_USERS = 1_000;

/** A wake-up of any name, with the message of that name. */
export type AnyWakeUp = { [Name in WakeUp]: { name: Name; message: WakeUps[Name] } }[WakeUp];

type Fields = Record<string, unknown>;

/** Reads the message of each name; null when invalid. */
const READERS: { [Name in WakeUp]: (message: Fields) => WakeUps[Name] | null } = {
  'dispatch.kick': ({ channel }) => (isText(channel) ? { channel } : null),
  'feed.changed': ({ tenant_id, user_ids }) =>
    isText(tenant_id) && areTexts(user_ids) ? { tenant_id, user_ids } : null,
  'access.revoked': ({ tenant_id, user_ids }) => {
    if (!isText(tenant_id)) return null;
    if (user_ids === undefined) return { tenant_id };
    return areTexts(user_ids) ? { tenant_id, user_ids } : null;
  },
};

/** @returns null for an invalid wake-up: no JSON, an unknown name, or a message of another shape. */
export function readWakeUp(text: string): AnyWakeUp | null {
  if (text.length > MAX_LENGTH) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isFields(parsed) || !isFields(parsed.message) || !isName(parsed.name)) return null;
  const message = READERS[parsed.name](parsed.message);
  return message === null ? null : ({ name: parsed.name, message } as AnyWakeUp);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is WakeUp {
  return typeof value === 'string' && Object.hasOwn(READERS, value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_USERS && value.every(isText);
}
