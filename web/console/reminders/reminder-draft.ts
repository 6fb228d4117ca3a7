import type { components } from '../../client/api.js';
import type { ReminderWords } from '../../words/console/reminders.js';

type Schemas = components['schemas'];
export type Reminder = Schemas['Reminder'];
export type ReminderFields = Schemas['ReminderFields'];
type ReminderChannel = Schemas['ReminderChannel'];
export type Channel = ReminderChannel['channel'];

/** What was typed about a reminder. Empty texts and nulls are none. */
export interface ReminderDraft {
  message: string;
  ticket_id: string;
  frequency_days: number | null;
  local_time: string;
  starts_on: string;
  ends_after: number | null;
  /** All channels that suit reminders, in the order of their use. */
  channels: readonly ReminderChannel[];
  mode: Reminder['mode'];
}
export type ReminderField = keyof ReminderDraft;

/** In the order that a new reminder proposes. */
const CHANNELS: readonly Channel[] = ['email', 'push', 'sms'];
export const MAX_MESSAGE = 2_000;
export const MAX_DAYS = 366;
export const MAX_COUNT = 10_000;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** A new reminder: weekly, by mail. @param ticketId empty: of no ticket */
export function newDraft(ticketId = ''): ReminderDraft {
  return {
    message: '',
    ticket_id: ticketId,
    frequency_days: 7,
    local_time: '09:00',
    starts_on: '',
    ends_after: null,
    channels: CHANNELS.map((channel) => ({ channel, enabled: channel === 'email' })),
    mode: 'all',
  };
}

export function draftOf(reminder: Reminder): ReminderDraft {
  const { message, ticket_id, frequency_days, local_time, starts_on, ends_after, channels, mode } = reminder;
  const absent = CHANNELS.filter((name) => !channels.some(({ channel }) => channel === name));
  return {
    message: message ?? '',
    ticket_id: ticket_id ?? '',
    frequency_days,
    local_time,
    starts_on,
    ends_after,
    channels: [...channels, ...absent.map((channel) => ({ channel, enabled: false }))],
    mode,
  };
}

/** Turns these channels on and the others off, in the same order. */
export function withChannels(draft: ReminderDraft, on: readonly Channel[]): ReminderDraft {
  const channels = draft.channels.map(({ channel }) => ({ channel, enabled: on.includes(channel) }));
  return { ...draft, channels };
}

/** Moves a channel before the previous one. */
export function earlier(draft: ReminderDraft, at: number): ReminderDraft {
  const channels = [...draft.channels];
  const [moved] = channels.splice(at, 1);
  if (moved !== undefined) channels.splice(Math.max(0, at - 1), 0, moved);
  return { ...draft, channels };
}

/** The rules of the fields that are not valid, as far as can be seen before it is sent. */
export function faultsIn(draft: ReminderDraft, { rules }: ReminderWords): Map<ReminderField, string> {
  const { message, frequency_days, local_time, ends_after, channels } = draft;
  const isWithin = (value: number | null, max: number) =>
    value !== null && Number.isInteger(value) && value >= 1 && value <= max;
  const faults = new Map<ReminderField, string>();
  if (Array.from(message.trim()).length > MAX_MESSAGE) faults.set('message', rules.message);
  if (!isWithin(frequency_days, MAX_DAYS)) faults.set('frequency_days', rules.frequency_days);
  if (!TIME.test(local_time)) faults.set('local_time', rules.local_time);
  if (ends_after !== null && !isWithin(ends_after, MAX_COUNT)) faults.set('ends_after', rules.ends_after);
  if (!channels.some(({ enabled }) => enabled)) faults.set('channels', rules.channels);
  return faults;
}

/** The body that creates a reminder. */
export function bodyOf(draft: ReminderDraft): ReminderFields {
  const { message, ticket_id, frequency_days, starts_on, ...same } = draft;
  return {
    ...same,
    channels: [...same.channels],
    message: message.trim() === '' ? null : message.trim(),
    ticket_id: ticket_id === '' ? null : ticket_id,
    ...(frequency_days === null ? {} : { frequency_days }),
    ...(starts_on === '' ? {} : { starts_on }),
  };
}

/** The body that changes a reminder: what differs only, since a new first date counts anew. */
export function patchOf(reminder: Reminder, draft: ReminderDraft): ReminderFields {
  const before: Readonly<Record<string, unknown>> = { ...bodyOf(draftOf(reminder)) };
  const differs = ([field, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(before[field]);
  return Object.fromEntries(Object.entries(bodyOf(draft)).filter(differs));
}
