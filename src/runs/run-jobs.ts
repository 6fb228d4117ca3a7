import { Injectable } from '@nestjs/common';
import type { ScheduledJob } from '../contracts/jobs.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { SqlValue } from '../platform/database/transaction.js';
import {
  type JobsFilter,
  type JobsPart,
  type JobState,
  type JobView,
  MAX_COUNTED_JOBS,
} from '../platform/queues/job-view.js';

/** Lists the runs of some jobs, of all tenants, for operators. */
@Injectable()
export class RunJobs {
  constructor(private readonly database: SystemDatabase) {}

  async list(
    jobs: readonly ScheduledJob[],
    filter: JobsFilter,
    { limit, after }: JobsPart,
  ): Promise<JobView[]> {
    const { key, order } = LISTS[filter.state];
    return this.database.query<JobView>(
      `SELECT r.tenant_id, t.slug AS tenant, r.id, r.job, r.state, r.attempts, r.due_at, r.created_at,
              r.finished_at AS ended_at, NULL AS defer_reason, NULL AS reason, r.error AS cause
       FROM job_runs r JOIN tenants t ON t.id = r.tenant_id
       WHERE ${conditionsOf(filter.state)}
         AND ($5::timestamptz IS NULL OR (${key}, r.id) ${order === 'ASC' ? '>' : '<'} ($5, $6::uuid))
       ORDER BY ${key} ${order}, r.id ${order} LIMIT $7`,
      [...valuesOf(jobs, filter), after?.at ?? null, after?.id ?? null, limit],
    );
  }

  async count(jobs: readonly ScheduledJob[], filter: JobsFilter): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      `SELECT count(*) AS count FROM (
         SELECT FROM job_runs r WHERE ${conditionsOf(filter.state)} LIMIT ${MAX_COUNTED_JOBS}) counted`,
      valuesOf(jobs, filter),
    );
    return row?.count ?? 0;
  }
}

/** A failed run that will be retried is deferred; its lease says until when, by the database's clock. */
const LISTS: Record<JobState, { condition: string; key: 'due_at' | 'finished_at'; order: 'ASC' | 'DESC' }> = {
  active: { condition: `state = 'running'`, key: 'due_at', order: 'ASC' },
  waiting: { condition: `state = 'queued' AND error IS NULL`, key: 'due_at', order: 'ASC' },
  delayed: { condition: `state = 'queued' AND error IS NOT NULL`, key: 'due_at', order: 'ASC' },
  pending: { condition: `state = 'queued'`, key: 'due_at', order: 'ASC' },
  completed: {
    condition: `state = 'succeeded' AND finished_at IS NOT NULL`,
    key: 'finished_at',
    order: 'DESC',
  },
  failed: { condition: `state = 'failed' AND finished_at IS NOT NULL`, key: 'finished_at', order: 'DESC' },
  // The outcome of a run is never uncertain.
  unknown: { condition: 'false', key: 'finished_at', order: 'DESC' },
};

// $1 jobs, $2 the tenant or null, $3 since, $4 until
function conditionsOf(state: JobState): string {
  const { condition, key } = LISTS[state];
  return `r.job = ANY ($1) AND ${condition} AND ($2::uuid IS NULL OR r.tenant_id = $2)
    AND ($3::timestamptz IS NULL OR ${key} >= $3) AND ($4::timestamptz IS NULL OR ${key} < $4)`;
}

function valuesOf(jobs: readonly ScheduledJob[], { tenant_id, since, until }: JobsFilter): SqlValue[] {
  return [jobs, tenant_id, since, until];
}
