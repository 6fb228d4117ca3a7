import { html, nothing, type TemplateResult } from 'lit';
import { badge, type Tone } from '../../design/badge.js';
import type { DeliveryWords } from '../../words/console/deliveries.js';

const TONES: Readonly<Record<string, Tone>> = {
  pending: 'waiting',
  queued: 'info',
  sending: 'info',
  sent: 'good',
  failed: 'critical',
  suppressed: 'neutral',
  cancelled: 'neutral',
  unknown: 'warning',
};

/** The fields that determine the state that is shown. */
export interface DeliveryState {
  state: string;
  reason: string | null;
  defer_reason: string | null;
  error: string | null;
}

export function toneOf(state: string): Tone {
  return TONES[state] ?? 'neutral';
}

/** A code of the server in words; one that this page does not know yet is shown as it is. */
export function wordOf(codes: Readonly<Record<string, string>>, code: string): string {
  return codes[code] ?? code;
}

export function isWaiting(state: string): boolean {
  return state === 'pending' || state === 'queued' || state === 'sending';
}

export function stateBadge(words: DeliveryWords, state: string): TemplateResult {
  return badge(toneOf(state), wordOf(words.states, state));
}

/** Why it waits, or was not sent; empty if there is no reason. */
export function reasonOf(
  words: DeliveryWords,
  { state, reason, defer_reason, error }: DeliveryState,
): string {
  const code = isWaiting(state) ? defer_reason : state === 'sent' ? null : reason;
  if (code !== null) return wordOf(words.reasons, code);
  if (state === 'unknown') return words.unknown_hint;
  return state === 'failed' ? (error ?? '') : '';
}

/** The name of a user, else the address without its scheme. */
export function recipientText({
  recipient,
  recipient_name,
}: {
  recipient: string;
  recipient_name: string | null;
}): string {
  return recipient_name ?? recipient.replace(/^(mailto|tel):/, '');
}

/** A link to the person, for those who may see people. */
export function recipientLink(
  row: { recipient: string; recipient_name: string | null; user_id: string | null },
  isLinked: boolean,
): TemplateResult {
  const text = recipientText(row);
  return isLinked && row.user_id !== null
    ? html`<a href=${`/people/${row.user_id}`} dir="auto">${text}</a>`
    : html`<span dir="auto">${text === '' ? nothing : text}</span>`;
}
