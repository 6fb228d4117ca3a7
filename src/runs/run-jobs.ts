import { Injectable } from '@nestjs/common';
import type { QueueName } from '../contracts/jobs.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { JobsQuery, JobState, JobView } from '../platform/queues/job-view.js';
import { jobsOf } from './run-queues.js';

/** Lists the runs of a queue, of all tenants, for operators. */
@Injectable()
export class RunJobs {
  constructor(private readonly database: SystemDatabase) {}

  async list(queue: QueueName, { state, limit, after, tenant_id }: JobsQuery): Promise<JobView[]> {
    const { condition, key, order } = LISTS[state];
    return this.database.query<JobView>(
      `SELECT r.tenant_id, t.slug AS tenant, r.id, r.job, r.state, r.attempts, r.due_at, r.created_at,
              r.finished_at AS ended_at, NULL AS defer_reason
       FROM job_runs r JOIN tenants t ON t.id = r.tenant_id
       WHERE job = ANY ($1) AND ${condition}
         AND ($2::timestamptz IS NULL OR (${key}, r.id) ${order === 'ASC' ? '>' : '<'} ($2, $3::uuid))
         AND ($4::uuid IS NULL OR r.tenant_id = $4)
       ORDER BY ${key} ${order}, r.id ${order} LIMIT $5`,
      [jobsOf(queue), after?.at ?? null, after?.id ?? null, tenant_id, limit],
    );
  }
}

/** A failed run that will be retried is deferred; its lease says until when, by the database's clock. */
const LISTS: Record<JobState, { condition: string; key: 'due_at' | 'finished_at'; order: 'ASC' | 'DESC' }> = {
  active: { condition: `state = 'running'`, key: 'due_at', order: 'ASC' },
  waiting: { condition: `state = 'queued' AND error IS NULL`, key: 'due_at', order: 'ASC' },
  delayed: { condition: `state = 'queued' AND error IS NOT NULL`, key: 'due_at', order: 'ASC' },
  failed: { condition: `state = 'failed' AND finished_at IS NOT NULL`, key: 'finished_at', order: 'DESC' },
};
