import type { Tone } from '../../design/badge.js';
import type { DeliveryWords } from '../../words/console/deliveries.js';
import type { NotificationWords } from '../../words/console/notifications.js';
import type { ConsoleContext } from '../context.js';
import { isWaiting, wordOf } from './delivery-view.js';
import type { TracedDelivery } from './trace-state.js';

/** A past or future event of a delivery. */
export interface Step {
  /** Null: nobody knows when. */
  at: string | null;
  tone: Tone;
  what: string;
  /** Why, with the attempt. */
  why: string;
  /** In the provider's words. */
  reply: string | null;
  /** Until when it waits. */
  until: string | null;
}

const TONES: Readonly<Record<string, Tone>> = {
  created: 'info',
  sent: 'good',
  delivered: 'good',
  started: 'good',
  retried: 'warning',
  returned: 'warning',
  unknown: 'warning',
  complained: 'warning',
  stopped: 'warning',
  failed: 'critical',
  bounced: 'critical',
  deferred: 'waiting',
  due: 'waiting',
};

/** The history of a delivery, oldest first, then what will happen. */
export function stepsOf(
  delivery: TracedDelivery,
  words: NotificationWords,
  codes: DeliveryWords,
  { format, words: { labelled } }: ConsoleContext,
): Step[] {
  const { state, history, provider_events } = delivery;
  const step = (event: string, at: string | null, more: Partial<Step> = {}): Step => ({
    at,
    tone: TONES[event] ?? 'neutral',
    what: wordOf(words.steps, event),
    why: '',
    reply: null,
    until: null,
    ...more,
  });
  const reason = (code: string | null) => (code === null ? '' : wordOf(codes.reasons, code));
  const happened = history.map((one) =>
    step(one.event, one.at, {
      // The event itself already says that another attempt follows.
      why: [
        one.event === 'retried' ? '' : reason(one.reason),
        one.attempt > 0 ? words.attempt(format.number(one.attempt)) : '',
      ]
        .filter((text) => text !== '')
        .join(', '),
      reply: one.error,
      until: one.until,
    }),
  );
  const reported = provider_events.map((one) =>
    step(one.event, one.at, {
      why: one.bounce === 'hard' ? words.bounce_hard : one.bounce === 'soft' ? words.bounce_soft : '',
      reply: one.detail === null ? one.provider : labelled(one.provider, one.detail),
    }),
  );
  const sent =
    delivery.sent_at === null
      ? []
      : [
          step('sent', delivery.sent_at, {
            why: words.attempt(format.number(Math.max(1, delivery.attempts))),
          }),
        ];
  // What is decided when a delivery is created has no row in its history.
  const ended =
    isWaiting(state) || state === 'sent' || history.some(({ event }) => event === state)
      ? []
      : [step(state, delivery.ended_at, { why: reason(delivery.reason), reply: delivery.error })];
  const next = isWaiting(state) ? [step('due', delivery.due_at, { why: reason(delivery.defer_reason) })] : [];
  const past = [step('created', delivery.created_at), ...happened, ...sent, ...ended, ...reported];
  // The sort is stable: what happened in one instant stays in this order.
  return [...past.sort((one, other) => time(one) - time(other)), ...next];
}

function time({ at }: Step): number {
  return at === null ? Infinity : Date.parse(at);
}
