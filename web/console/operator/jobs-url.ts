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

/** A filter in the address cannot be empty: these mean failures without a recorded answer, and jobs without a reason. */
export const NO_CAUSE = 'no_cause';
export const NO_REASON = 'none';
/** The parameters of the address that filter jobs. */
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
  /** Null: jobs without a reason. */
  reason?: string | null;
  /** Empty: failures without a recorded answer. */
  cause?: string;
}

/** The address of the list of jobs that a number counts. @param queue a queue, all deliveries or all runs */
export function jobsUrl(queue: string, { state, tenant, within, reason, cause }: JobsChoice): string {
  const query = new URLSearchParams({ state });
  if (tenant !== undefined) query.set('tenant', tenant);
  if (within !== undefined) query.set('within', within);
  if (reason !== undefined) query.set('reason', reason ?? NO_REASON);
  if (cause === '') query.set(NO_CAUSE, 'yes');
  else if (cause !== undefined) query.set('cause', cause);
  return `/operator/queues/${queue}?${query.toString()}`;
}

const OF_RUNS: ReadonlySet<string> = new Set(['checks', 'maintenance', 'runs']);

/** Whether a queue has deliveries; otherwise it has runs. @param queue a queue, all deliveries or all runs */
export function isOfDeliveries(queue: string): boolean {
  return !OF_RUNS.has(queue);
}

/** The address of the list of due jobs. Runs that wait for another attempt count as due, too. */
export function dueUrl(queue: string): string {
  return jobsUrl(queue, { state: isOfDeliveries(queue) ? 'waiting' : 'pending' });
}

/** Why deliveries wait. */
export const DEFERRALS = [
  'send_at',
  'operating_hours',
  'quiet_hours',
  'user_paused',
  'limit_per_user_per_hour',
  'limit_per_user_per_day',
  'limit_per_tenant_per_hour',
  'limit_per_tenant_per_day',
  'limit_per_channel_per_minute',
  'channel_down',
  'retry',
] as const;
const REASONS: Readonly<Partial<Record<State, readonly string[]>>> = {
  waiting: DEFERRALS,
  delayed: DEFERRALS,
  pending: DEFERRALS,
  failed: ['expired'],
};

/** The reasons that deliveries in a state can have; empty: the server does not filter that state by reason. */
export function reasonsOf(state: State): readonly string[] {
  return REASONS[state] ?? [];
}

/** Whether the server filters a state by cause. */
export function hasCauses(state: State): boolean {
  return state === 'failed';
}

export function isWithin(text: string | undefined): text is Within {
  return text !== undefined && Object.hasOwn(WITHIN, text);
}
