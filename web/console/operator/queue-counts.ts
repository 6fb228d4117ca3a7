import type { components } from '../../client/api.js';

export type Queue = components['schemas']['QueueView'];

/** The counts of a queue, of deliveries or of runs. */
export interface QueueCounts {
  /** Includes deliveries that are queued in Bull. */
  due: number;
  /** Null: runs are not deferred. */
  deferred: number | null;
  inWork: number;
  /** What a purge cancels, including deliveries that are queued but not being sent yet. */
  waiting: number;
  done: number;
  failed: number;
  /** In seconds. */
  oldest: number | null;
}

export function countsOf({ postgres }: Queue): QueueCounts {
  if ('sending' in postgres)
    return {
      due: postgres.due + postgres.queued,
      deferred: postgres.deferred,
      inWork: postgres.sending,
      waiting: postgres.due + postgres.deferred + postgres.queued,
      done: postgres.sent_24h,
      failed: postgres.failed_24h,
      oldest: postgres.oldest_due_seconds,
    };
  return {
    due: postgres.queued,
    deferred: null,
    inWork: postgres.running,
    waiting: postgres.queued,
    done: postgres.succeeded_24h,
    failed: postgres.failed_24h,
    oldest: postgres.oldest_queued_seconds,
  };
}
