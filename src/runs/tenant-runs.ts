import { Injectable } from '@nestjs/common';
import type { RunCounts, ScheduledJob } from '../contracts/jobs.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import type { RunStateName } from './run.dto.js';

/** A run, as shown in explanations of a notification. */
export interface NamedRun {
  id: string;
  job: ScheduledJob;
  slot: string | null;
  state: RunStateName;
  counts: RunCounts | null;
  error: string | null;
  due_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

const COLUMNS = 'id, job, slot, state, counts, error, due_at, started_at, finished_at';

/** Past runs of one tenant. Index: job_runs_latest */
@Injectable()
export class TenantRuns {
  /** The run of one of these jobs that was under way at this instant; null if none was, or it is no longer kept. */
  async at(tx: TenantTransaction, jobs: readonly ScheduledJob[], instant: Date): Promise<NamedRun | null> {
    return tx.one<NamedRun>(
      `SELECT r.* FROM unnest($2::text[]) AS j (job)
       CROSS JOIN LATERAL (
         SELECT ${COLUMNS} FROM job_runs
         WHERE tenant_id = $1 AND job = j.job
           -- No run takes longer.
           AND created_at BETWEEN $3::timestamptz - interval '2 days' AND $3::timestamptz
           AND started_at <= $3 AND coalesce(finished_at, 'infinity') >= $3
         ORDER BY created_at DESC LIMIT 1) r
       ORDER BY r.started_at DESC LIMIT 1`,
      [tx.tenant_id, jobs, instant],
    );
  }

  /** The latest runs of each of these jobs, newest first. */
  async latest(tx: TenantTransaction, jobs: readonly ScheduledJob[], ofEach: number): Promise<NamedRun[]> {
    return tx.query<NamedRun>(
      `SELECT ${COLUMNS.replaceAll(/\w+/g, 'r.$&')} FROM unnest($2::text[]) WITH ORDINALITY AS j (job, place)
       CROSS JOIN LATERAL (
         SELECT ${COLUMNS}, created_at FROM job_runs
         WHERE tenant_id = $1 AND job = j.job ORDER BY created_at DESC LIMIT $3) r
       ORDER BY j.place, r.created_at DESC`,
      [tx.tenant_id, jobs, ofEach],
    );
  }
}
