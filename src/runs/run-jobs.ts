import { Injectable } from '@nestjs/common';
import type { ScheduledJob } from '../contracts/jobs.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { SqlValue } from '../platform/database/transaction.js';
import { causeSql } from '../platform/queues/cause.sql.js';
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
    const values = [...valuesOf(jobs, filter), after?.at ?? null, after?.id ?? null, limit];
    return this.database.query<JobView>(runListSql(filter), values);
  }

  /** @param limit counting stops here, over all jobs */
  async count(jobs: readonly ScheduledJob[], filter: JobsFilter, limit = MAX_COUNTED_JOBS): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      // With the inner LIMIT, the planner uses the index for each job.
      `SELECT count(*) AS count FROM (
         SELECT FROM unnest($1::text[]) AS j (job)
         CROSS JOIN LATERAL (SELECT FROM job_runs WHERE ${conditionsOf(filter)} LIMIT $5) r
         LIMIT $5) counted`,
      [...valuesOf(jobs, filter), limit],
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
  completed: { condition: `state = 'succeeded'`, key: 'finished_at', order: 'DESC' },
  failed: { condition: `state = 'failed'`, key: 'finished_at', order: 'DESC' },
  // The outcome of a run is never uncertain.
  unknown: { condition: 'false', key: 'finished_at', order: 'DESC' },
};

/**
 * A page of runs in a state. Reads the index `job_runs_by_state` for each job, from the first row of the page; of ended
 * runs, at most a page for each job. The runs of one tenant are read by `job_runs_latest` or the key of slots.
 * $1 jobs, $2 the tenant or null, $3 since, $4 until, $5 and $6 the last row of the previous page, $7 how many
 */
export function runListSql(filter: Pick<JobsFilter, 'state' | 'tenant_id'>): string {
  const { key, order } = LISTS[filter.state];
  const after =
    order === 'ASC'
      ? `> (coalesce($5::timestamptz, '-infinity'), coalesce($6::uuid, '${FIRST_ID}'))`
      : `< (coalesce($5::timestamptz, 'infinity'), coalesce($6::uuid, '${LAST_ID}'))`;
  // Not the order of `job_runs_by_state`, in which a tenant's rows may come late: PostgreSQL cannot know that.
  const first = isEndedOfTenant(filter) ? `tenant_id ${order}, ` : '';
  return `
    SELECT r.tenant_id, t.slug AS tenant, r.id, r.job, r.state, r.attempts, r.due_at, r.created_at,
           r.finished_at AS ended_at, NULL AS defer_reason, NULL AS reason,
           CASE WHEN r.error IS NOT NULL THEN ${causeSql('r.error')} END AS cause
    FROM unnest($1::text[]) AS j (job)
    CROSS JOIN LATERAL (
      SELECT * FROM job_runs
      WHERE ${conditionsOf(filter)} AND (${key}, id) ${after}
      ORDER BY ${first}${key} ${order}, id ${order} LIMIT $7) r
    JOIN tenants t ON t.id = r.tenant_id
    ORDER BY r.${key} ${order}, r.id ${order} LIMIT $7`;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

function isEndedOfTenant({ state, tenant_id }: Pick<JobsFilter, 'state' | 'tenant_id'>): boolean {
  return tenant_id !== null && LISTS[state].key === 'finished_at';
}

// $1 jobs, $2 the tenant or null, $3 since, $4 until
function conditionsOf(filter: Pick<JobsFilter, 'state' | 'tenant_id'>): string {
  const { condition, key } = LISTS[filter.state];
  // With `=`, PostgreSQL would ignore the tenant in ORDER BY.
  const tenant = isEndedOfTenant(filter)
    ? `tenant_id = ANY (ARRAY[$2::uuid])`
    : `($2::uuid IS NULL OR tenant_id = $2)`;
  return `job = j.job AND ${condition} AND ${tenant}
    AND ${key} >= coalesce($3::timestamptz, '-infinity') AND ${key} < coalesce($4::timestamptz, 'infinity')`;
}

function valuesOf(jobs: readonly ScheduledJob[], { tenant_id, since, until }: JobsFilter): SqlValue[] {
  return [jobs, tenant_id, since, until];
}
