/** The state of a job in the words of queue tools, independent of the names in PostgreSQL. */
export const JOB_STATES = ['active', 'waiting', 'delayed', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** One piece of work of a queue: what it is and whose, and nothing about persons. */
export interface JobView {
  /** Of the delivery or the run. */
  id: string;
  tenant_id: string;
  job: string;
  /** The state in PostgreSQL, e.g. `pending`. */
  state: string;
  attempts: number;
  due_at: Date;
  created_at: Date;
  ended_at: Date | null;
  /** Why it is deferred; null where it is not, or is a run. */
  defer_reason: string | null;
}

/** Which jobs, soonest due first; those that failed newest first. */
export interface JobsQuery {
  state: JobState;
  limit: number;
  /** The keys of the last row of the page before. */
  after: { at: Date; id: string } | null;
  tenant_id: string | null;
}

/** What a page goes on after. */
export function jobKey(job: JobView): { at: Date; id: string } {
  return { at: job.ended_at ?? job.due_at, id: job.id };
}
