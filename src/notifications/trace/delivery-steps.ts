import { isReason, type Reason, REASONS } from '../../contracts/reasons.js';
import type { ChannelWait } from '../../delivery/channel-health/channel-waits.js';
import type { DeliveryDecision } from '../../delivery/decisions.sql.js';
import type { StopReason } from '../../delivery/stopped-addresses/stopped-address.js';
import { onReason, refinedReason } from './choice-reasons.js';
import type { StepWriter } from './step-writer.js';
import type { TraceStep } from './trace-step.dto.js';
import type { DeliveryEvent, TracedDelivery } from './trace.dto.js';

/** The columns of a delivery that its steps need. */
export type SteppedDelivery = Pick<
  TracedDelivery,
  | 'channel'
  | 'state'
  | 'reason'
  | 'defer_reason'
  | 'error'
  | 'attempts'
  | 'created_at'
  | 'due_at'
  | 'sent_at'
  | 'ended_at'
  | 'bundle_id'
  | 'bundle_size'
  | 'history'
  | 'provider_events'
>;

/** What decides besides the delivery itself. */
export interface DeliveryCase {
  severity: string;
  /** The queue of its channel. */
  queue: string;
  /** The present choices for its channel; null for webhooks and bare addresses. */
  choice: DeliveryDecision | null;
  /** Why its address is stopped; null: it is not. */
  stopped: StopReason | null;
  /** Why its channel sends nothing now; undefined: it does. */
  wait: ChannelWait | undefined;
  now: Date;
}

/** What the outbox decides when it creates a delivery, before any other step. */
const AT_CREATION: readonly string[] = ['preference', 'tenant_preference'];

/** All steps of one delivery, oldest first; the last one says what it waits for. */
export function deliverySteps(delivery: SteppedDelivery, about: DeliveryCase, base: StepWriter): TraceStep[] {
  const write = base.with({ queue: about.queue, bundle_id: delivery.bundle_id });
  const created = delivery.created_at;
  const reason = refinedReason(delivery.reason, delivery.channel, about.stopped);
  const history = delivery.history.map((event) => eventStep(event, delivery, about, write));
  const isRecorded = delivery.history.some(({ event }) => event === delivery.state);
  const wasDecided = isEnded(delivery.state) && !isRecorded && reason !== null && delivery.attempts === 0;
  if (wasDecided) {
    const end = write.step(reason, { at: created });
    return AT_CREATION.includes(reason) ? [end] : [...preference(about, created, write), end];
  }
  const steps = [...preference(about, created, write), write.step('address_known', { at: created })];
  steps.push(...history);
  if (delivery.bundle_id !== null && delivery.bundle_size > 1)
    steps.push(write.step('bundled', { count: delivery.bundle_size, at: delivery.sent_at }));
  if (delivery.sent_at !== null)
    steps.push(write.step('sent', { at: delivery.sent_at, attempt: Math.max(1, delivery.attempts) }));
  else if (isEnded(delivery.state) && !isRecorded) steps.push(ended(delivery, reason, write));
  steps.push(...delivery.provider_events.flatMap((event) => reported(event, write)));
  const inOrder = steps.sort((one, other) => time(one) - time(other));
  return isEnded(delivery.state) ? inOrder : [...inOrder, ...waiting(delivery, about, write)];
}

/**
 * Whose choice turned the channel on. The choice at that time is not recorded: if the present choice is
 * "off", it was made later.
 */
function preference({ choice, severity }: DeliveryCase, at: Date, write: StepWriter): TraceStep[] {
  if (choice === null) return [];
  return [write.step(onReason(choice, severity), { at })];
}

function eventStep(
  { event, attempt, reason, until, error, at }: DeliveryEvent,
  { channel }: SteppedDelivery,
  { stopped }: DeliveryCase,
  write: StepWriter,
): TraceStep {
  const code = refinedReason(reason, channel, stopped);
  const details = {
    at: new Date(at),
    until: until === null ? null : new Date(until),
    attempt: attempt === 0 ? null : attempt,
    detail: error,
  };
  if (event === 'failed') return write.step(code === 'expired' ? 'expired' : 'failed', details);
  if (event === 'unknown') return write.step('unknown', details);
  if (event === 'retried') return write.step('retry', details);
  if (event === 'returned') return write.step('channel_down', details);
  return write.step(code ?? 'queued', details);
}

function ended(
  { state, ended_at, error, attempts }: SteppedDelivery,
  reason: Reason | null,
  write: StepWriter,
): TraceStep {
  const fallback = state === 'unknown' ? 'unknown' : state === 'cancelled' ? 'purged' : 'failed';
  return write.step(reason ?? fallback, {
    at: ended_at,
    detail: error,
    attempt: attempts === 0 ? null : attempts,
  });
}

function reported(
  { event, bounce, detail, provider, at }: SteppedDelivery['provider_events'][number],
  write: StepWriter,
): TraceStep[] {
  const details = { at: new Date(at), detail: detail === null ? provider : `${provider}: ${detail}` };
  if (event === 'delivered' || event === 'complained') return [write.step(event, details)];
  if (event === 'bounced') return [write.step(bounce === 'soft' ? 'delayed' : 'bounced', details)];
  if (event === 'failed') return [write.step('bounced', details)];
  if (event === 'stopped') return [write.step('opted_out', details)];
  return event === 'started' ? [write.step('opted_in', details)] : [];
}

/** Why it has not been sent yet: what stops its channel, else what deferred it. */
function waiting(
  { state, defer_reason, due_at }: SteppedDelivery,
  { wait, now }: DeliveryCase,
  write: StepWriter,
): TraceStep[] {
  if (state === 'sending') return [write.step('sending')];
  const isDue = due_at.getTime() <= now.getTime();
  if (isDue && wait !== undefined)
    return [write.step(wait.reason, { at: wait.since, until: wait.until, detail: wait.detail })];
  const known = defer_reason !== null && isReason(defer_reason) ? defer_reason : null;
  // Deliveries that wait for the limit per minute stay due; other reasons end when the delivery is due.
  if (isDue && known !== 'limit_per_channel_per_minute')
    return [write.step('channel_up'), write.step('queued')];
  return [write.step(known ?? 'queued', { until: due_at })];
}

export function isWaiting(state: string): boolean {
  return state === 'pending' || state === 'queued' || state === 'sending';
}

function isEnded(state: string): boolean {
  return !isWaiting(state);
}

function time({ at }: TraceStep): number {
  return at?.getTime() ?? Infinity;
}

/**
 * The outcome of a chain: the step that ends it, the one it waits for, or the last that reached its
 * recipient.
 */
export function verdictOf(steps: readonly TraceStep[]): TraceStep | null {
  const last = steps.at(-1);
  if (last === undefined) return null;
  if (REASONS[last.reason].outcome !== 'continues') return last;
  return steps.findLast(({ outcome }) => outcome !== 'continues') ?? last;
}
