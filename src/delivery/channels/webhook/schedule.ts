import type { ChannelRetries } from '../sender.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The retries that Standard Webhooks recommends ("Deliverability and reliability"): three days in all. */
const DELAYS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** A call without an answer is repeated like a refused one: receivers deduplicate by `webhook-id`. */
export const WEBHOOK_RETRIES: ChannelRetries = { delays_ms: DELAYS_MS, ambiguous_repeats: DELAYS_MS.length };
