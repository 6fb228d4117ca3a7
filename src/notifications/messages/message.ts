import type { Channel } from '../../contracts/channels.js';
import type { Severity } from '../../contracts/severities.js';
import { Outbox } from '../../delivery/outbox.js';
import { invalid, Problem } from '../../platform/errors/problem.js';
import type { TenantCaller } from '../../platform/http/caller.js';
import { excerpt } from '../../wording/written-text.js';
import type { NewMessage } from './messages.dto.js';

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    /**
     * A written message, or one with a message template of the tenant. `kind` is the caller's name for it,
     * `data` their additional data or that of the template, `ticket_id` the ticket it is about.
     */
    message: {
      kind: string | null;
      data: Record<string, unknown>;
      ticket_id?: string;
    } & ({ title: string; body: string } | { template: string });
  }
}

/** A person's or a program's own words, or the name of a message template of the tenant. */
export type MessageWords = { subject: string; body: string } | { template: string };

/** A message with valid fields, to one bare address or to users of the tenant. */
export type Message = Envelope & MessageWords;

interface Envelope {
  channel: Channel;
  to:
    | { address: string; recipient: string }
    /** `pointer`: the field of the request that named the only user. */
    | { user_ids: readonly string[]; pointer?: string };
  /** The caller's own name. */
  kind?: string | null;
  severity?: Severity;
  data?: Record<string, unknown>;
  /** The ticket it is about. */
  ticket_id?: string | null;
  /** The same key never reaches the same recipient twice; without one every message is new. */
  dedupe_key?: string | null;
  /** When to send it; null: as soon as permitted. */
  due_at?: Date | null;
}

/** Most recipients of a message that is sent in the request: the caller waits for all of them. */
export const MAX_AT_ONCE = 50;
/** Longest title taken from a text, in characters. */
const MAX_OWN_TITLE = 80;
const LATEST_MS = 366 * 24 * 60 * 60 * 1_000;

/**
 * Reads a request as a message.
 *
 * Permissions: admins, and API keys (their scope was checked), write to any address and at any severity. Other members
 * write to users of their tenant, and not as critical, which would bypass quiet hours.
 * @throws Problem validation_failed, forbidden
 */
export function readMessage(caller: TenantCaller, body: NewMessage): Message {
  const trusted = caller.kind === 'api_key' || caller.role === 'admin';
  const severity = body.severity ?? 'info';
  if (!trusted && severity === 'critical')
    throw new Problem('forbidden', 'only admins can send critical messages');
  return {
    channel: body.channel,
    to: readRecipients(body, trusted),
    ...readWords(body),
    kind: body.kind ?? null,
    severity,
    data: body.data ?? {},
    ticket_id: body.ticket_id ?? null,
    dedupe_key: readKey(caller, body.dedupe_key, trusted),
    due_at: readSendAt(body),
  };
}

function readWords(body: NewMessage): MessageWords {
  const { template, channel, subject, body: text } = body;
  if (template === undefined || template === null) {
    if (text === undefined || text === null) throw invalid('/body', 'is required without a template');
    return readText({ channel, subject: subject ?? null, body: text }, 'body');
  }
  for (const field of ['subject', 'body'] as const) {
    if (body[field] !== undefined && body[field] !== null) {
      throw invalid(`/${field}`, 'give either a template, or subject and body');
    }
  }
  return { template };
}

/**
 * Subject and text. A text message needs no subject: its title in feeds is how it begins.
 * @param field the name of the text in the request
 * @throws Problem validation_failed
 */
export function readText<Field extends 'body' | 'message'>(
  request: { channel: Channel; subject?: string | null } & Record<Field, string>,
  field: Field,
): Extract<MessageWords, { body: string }> {
  const { channel, subject = null, [field]: body } = request;
  const max = Outbox.maxLength(channel);
  if (max !== null && Array.from(body).length > max)
    throw invalid(`/${field}`, `must have at most ${max} characters on the channel ${channel}`);
  if (subject === null && max === null) throw invalid('/subject', `is required on the channel ${channel}`);
  return { subject: subject ?? excerpt(body, MAX_OWN_TITLE), body };
}

function readRecipients({ channel, to, user_ids, send_now }: NewMessage, trusted: boolean): Message['to'] {
  const given = [to, user_ids].filter((value) => value !== undefined && value !== null);
  if (given.length !== 1) {
    throw invalid('/to', 'give either `to` or `user_ids`');
  }
  if (user_ids !== undefined && user_ids !== null) {
    if (send_now === true && user_ids.length > MAX_AT_ONCE) {
      throw invalid('/user_ids', `at most ${MAX_AT_ONCE} with send_now`);
    }
    return { user_ids };
  }
  if (!trusted)
    throw new Problem('forbidden', 'members can write only to users of their tenant: give `user_ids`');
  const address = Outbox.address(channel, to ?? '');
  if (address === null) throw invalid('/to', `is not a single plain address of the channel ${channel}`);
  return address;
}

/** A member's keys are private: nobody can block another's message by guessing its key. */
function readKey(caller: TenantCaller, key: string | null | undefined, trusted: boolean): string | null {
  if (key === undefined || key === null) return null;
  return trusted ? key : `${caller.principal}:${key}`;
}

function readSendAt({ send_at, send_now }: NewMessage): Date | null {
  if (send_at === undefined || send_at === null) return null;
  if (send_now === true) throw invalid('/send_at', 'give either send_at or send_now');
  const at = new Date(send_at);
  if (Number.isNaN(at.getTime())) throw invalid('/send_at', 'must be an instant that exists');
  return at;
}

/**
 * A new message must not be scheduled in the past, nor years ahead. (A retry of a created one may be.)
 * @throws Problem validation_failed
 */
export function checkDueAt(due_at: Date, now: Date): void {
  if (due_at.getTime() < now.getTime()) throw invalid('/send_at', 'must not be in the past');
  if (due_at.getTime() > now.getTime() + LATEST_MS) throw invalid('/send_at', 'must be within a year');
}
