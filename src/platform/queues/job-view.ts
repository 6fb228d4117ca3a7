/** The state of a job in the terms of queue tools, independent of the names in PostgreSQL. */
export const JOB_STATES = [
  'active',
  'waiting',
  'delayed',
  'pending',
  'completed',
  'failed',
  'unknown',
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Counting stops here. */
export const MAX_COUNTED_JOBS = 100_000;

/** One piece of work in a queue: its kind and tenant, and no personal data. */
export interface JobView {
  /** The id of the delivery or run. */
  id: string;
  tenant_id: string;
  /** Its slug. */
  tenant: string;
  job: string;
  /** The state in PostgreSQL, e.g. `pending`. */
  state: string;
  attempts: number;
  due_at: Date;
  created_at: Date;
  ended_at: Date | null;
  /** Why it is deferred; null when it is not, and for runs. */
  defer_reason: string | null;
  /** Why it failed, besides the cause; null for runs. */
  reason: string | null;
  /** Why it failed, without addresses and ids; null if it did not. */
  cause: string | null;
}

/** Filters for jobs. Times refer to the end of a job or, if it has not ended, to when it is due. */
export interface JobsFilter {
  state: JobState;
  /** Null: of all tenants. */
  tenant_id: string | null;
  since: Date | null;
  /** Exclusive. */
  until: Date | null;
}

/** A page of jobs. Soonest due first; ended ones newest first. */
export interface JobsPart {
  limit: number;
  /** The keys of the last row of the previous page. */
  after: { at: Date; id: string } | null;
}

/** The keys after which the next page starts. */
export function jobKey(job: JobView): { at: Date; id: string } {
  return { at: job.ended_at ?? job.due_at, id: job.id };
}
