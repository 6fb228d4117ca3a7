import type { operations } from '../../client/api.js';

export type JobsQuery = NonNullable<operations['AdminQueues_jobs']['parameters']['query']>;

/** The choices of the filter by state. */
export const STATES = [
  'waiting',
  'active',
  'delayed',
  'pending',
  'completed',
  'failed',
  'unknown',
] as const satisfies readonly JobsQuery['state'][];
export type State = (typeof STATES)[number];
export const STANDARD_STATE: State = 'waiting';

const HOUR_MS = 3_600_000;
/** The choices of the filter by the time since the end, in ms. */
export const WITHIN = {
  '1h': HOUR_MS,
  '24h': 24 * HOUR_MS,
  '7d': 7 * 24 * HOUR_MS,
  '30d': 30 * 24 * HOUR_MS,
} as const;
export type Within = keyof typeof WITHIN;

/** An address cannot have an empty filter: this one stands for the failures without a cause. */
export const NO_CAUSE = 'no_cause';
/** The parameters of the address that choose jobs. */
export const JOB_FILTERS = [
  'state',
  'tenant',
  'within',
  'since',
  'until',
  'reason',
  'cause',
  NO_CAUSE,
] as const;

export interface JobsChoice {
  state: State;
  tenant?: string;
  within?: Within;
  reason?: string | null;
  /** Empty: failures without one. */
  cause?: string;
}

/** The list of jobs that a number counts. @param queue a queue, all deliveries or all runs */
export function jobsUrl(queue: string, { state, tenant, within, reason, cause }: JobsChoice): string {
  const query = new URLSearchParams({ state });
  if (tenant !== undefined) query.set('tenant', tenant);
  if (within !== undefined) query.set('within', within);
  if (reason !== undefined && reason !== null) query.set('reason', reason);
  if (cause === '') query.set(NO_CAUSE, 'yes');
  else if (cause !== undefined) query.set('cause', cause);
  return `/operator/queues/${queue}?${query.toString()}`;
}

export function isWithin(text: string | undefined): text is Within {
  return text !== undefined && Object.hasOwn(WITHIN, text);
}
