import type { ChannelRetries, SendFailure, SendReceipt } from '../channels/sender.js';

/** The state of a message after an attempt. docs/lifecycles.md has the diagram. */
export type Outcome =
  | ({ state: 'sent' } & SendReceipt)
  | { state: 'failed'; error: string; reason?: 'expired' }
  | { state: 'unknown'; error: string; ambiguous: true }
  | { state: 'pending'; error: string; delay_ms: number; ambiguous: boolean }
  /** Its channel is down: it keeps its place, or waits for some time, and the attempt is not counted. */
  | { state: 'pending'; error: string; channel_down: true; delay_ms?: number };

export interface FailedSend {
  failure: SendFailure;
  message: string;
  retry_after_ms?: number | undefined;
  /** For the failure 'channel': the message itself may be the reason. */
  with_message?: boolean;
}

export interface RetryRules extends ChannelRetries {
  /** How long the youngest of its items has been due, and when it expires, in ms. */
  age_ms: number;
  max_age_ms: number;
}

const MAX_SUSPECT_DELAY_MS = 60 * 60 * 1_000;
/** Longest wait between two attempts. */
const MAX_DELAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Decides the outcome of a failed attempt.
 * @param attempts attempts so far, including this one
 * @param ambiguities how many of those ended without an answer, not counting this one
 * @param random 0 to 1, to spread the retries of simultaneous failures
 */
export function afterFailure(
  failure: FailedSend,
  attempts: number,
  ambiguities: number,
  rules: RetryRules,
  random = Math.random(),
): Outcome {
  const error = failure.message.slice(0, 1_000);
  if (failure.failure === 'permanent') return { state: 'failed', error };
  if (failure.failure === 'channel') return afterChannelFailure(failure, error, rules, random);
  const ambiguous = failure.failure === 'ambiguous';
  const delay = rules.delays_ms[attempts - 1];
  if (ambiguous && (ambiguities >= rules.ambiguous_repeats || delay === undefined)) {
    return { state: 'unknown', error, ambiguous };
  }
  if (delay === undefined) return { state: 'failed', error };
  const delay_ms = Math.min(
    Math.max(delay * (0.8 + 0.4 * random), failure.retry_after_ms ?? 0),
    MAX_DELAY_MS,
  );
  return { state: 'pending', error, delay_ms: Math.round(delay_ms), ambiguous };
}

/**
 * Does not count as an attempt; the message expires by age. A message that may be the reason itself yields to others
 * meanwhile, longer each time: for half of its age, but an hour at most, unless the provider asks for more.
 */
function afterChannelFailure(
  { with_message = false, retry_after_ms = 0 }: FailedSend,
  error: string,
  { age_ms, max_age_ms, delays_ms }: RetryRules,
  random: number,
): Outcome {
  if (age_ms > max_age_ms) return { state: 'failed', error, reason: 'expired' };
  if (!with_message) return { state: 'pending', error, channel_down: true };
  const wait = Math.max(delays_ms[0] ?? 0, Math.min(age_ms / 2, MAX_SUSPECT_DELAY_MS)) * (0.8 + 0.4 * random);
  const delay_ms = Math.min(Math.max(wait, retry_after_ms), MAX_DELAY_MS);
  return { state: 'pending', error, channel_down: true, delay_ms: Math.round(delay_ms) };
}
