import { Inject, Injectable } from '@nestjs/common';
import { JOBS, type QueueName, SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { SystemDatabase } from '../platform/database/database.js';
import { MAX_COUNTED_JOBS } from '../platform/queues/job-view.js';
import { RUN_LEASE_SECONDS } from './run-record.js';
import type { QueuedRun } from './run-ledger.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** The state of one queue's runs in the ledger. */
export interface RunQueueCounts {
  queued: number;
  running: number;
  succeeded_24h: number;
  failed_24h: number;
  /** Age of the oldest queued run, in seconds. */
  oldest_queued_seconds: number | null;
}

/** The runs of one job that have not ended. */
export interface OpenRuns {
  job: ScheduledJob;
  queued: number;
  running: number;
  /** Age of the longest overdue one that may start, in seconds; null: none is due. */
  oldest_due_seconds: number | null;
}

export interface RunPurge {
  cancelled: number;
  /** Not changed, because they have started. */
  still_running: number;
  /** Still queued: created after the purge began. */
  remaining: number;
}

/**
 * The operators' actions on queues of runs, in the ledger, which Redis cannot lose. They never touch runs that have
 * started.
 */
@Injectable()
export class RunQueues {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @param most where each count stops, for all jobs and tenants together. */
  async counts(
    queue: QueueName,
    most = MAX_COUNTED_JOBS,
  ): Promise<{ paused: boolean; postgres: RunQueueCounts }> {
    const now = this.clock.now();
    const [row] = await this.database.query<
      Omit<RunQueueCounts, 'oldest_queued_seconds'> & { paused: boolean; oldest: Date | null }
    >(QUEUE_COUNTS, [queue, jobsOf(queue), new Date(now.getTime() - DAY_MS), most]);
    if (row === undefined) throw new Error('an aggregate has no row');
    const { paused, oldest, ...counts } = row;
    const oldest_queued_seconds =
      oldest === null ? null : Math.max(0, Math.round((now.getTime() - oldest.getTime()) / 1_000));
    return { paused, postgres: { ...counts, oldest_queued_seconds } };
  }

  /**
   * The open runs of each job of all tenants.
   * @param most where counting stops, for all jobs together.
   */
  async openRuns(most: number): Promise<OpenRuns[]> {
    return this.database.query<OpenRuns>(
      `SELECT j.job, count(*) FILTER (WHERE r.state = 'queued') AS queued,
              count(*) FILTER (WHERE r.state = 'running') AS running,
              extract(epoch FROM $2::timestamptz - min(r.due_at) FILTER (
                WHERE r.state = 'queued' AND r.due_at <= $2 AND t.suspended_at IS NULL AND p.queue IS NULL
              ))::double precision AS oldest_due_seconds
       FROM unnest($1::text[], $3::text[]) WITH ORDINALITY AS j (job, queue, position)
       LEFT JOIN paused_run_queues p ON p.queue = j.queue
       LEFT JOIN (SELECT tenant_id, job, state, due_at FROM job_runs
                  WHERE state IN ('queued', 'running') LIMIT $4) r ON r.job = j.job
       LEFT JOIN tenants t ON t.id = r.tenant_id
       GROUP BY j.job, j.position ORDER BY j.position`,
      [SCHEDULED_JOBS, this.clock.now(), SCHEDULED_JOBS.map((job) => JOBS[job].queue), most],
    );
  }

  /** The jobs whose queue is paused. */
  async pausedJobs(): Promise<ScheduledJob[]> {
    const rows = await this.database.query<{ queue: string }>(`SELECT queue FROM paused_run_queues`);
    return SCHEDULED_JOBS.filter((job) => rows.some(({ queue }) => queue === JOBS[job].queue));
  }

  /**
   * Stops runs of this queue from starting. Waiting runs stay in the ledger with new tokens, so that their jobs in Bull
   * become invalid. The order matters: every enqueueing process checks for a pause after its tokens are committed, so
   * it either sees the pause, or its tokens are among the replaced ones.
   */
  async pause(queue: QueueName): Promise<{ returned: number; still_running: number }> {
    await this.database.query(
      `INSERT INTO paused_run_queues (queue, paused_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [queue, this.clock.now()],
    );
    const returned = await this.database.transaction((tx) =>
      tx.execute(
        `UPDATE job_runs r
         SET lease_token = gen_random_uuid(),
             -- One that has failed keeps the wait for its next attempt.
             lease_until = CASE WHEN r.error IS NULL THEN now() ELSE r.lease_until END
         FROM (SELECT tenant_id, id FROM job_runs WHERE state = 'queued' AND job = ANY ($1)
               ORDER BY tenant_id, id FOR UPDATE) q
         WHERE r.tenant_id = q.tenant_id AND r.id = q.id`,
        [jobsOf(queue)],
      ),
    );
    return { returned, still_running: (await this.open(queue, null)).running };
  }

  /**
   * Lets runs start again, at the next round of the reaper. Of the slots that a job missed meanwhile only the latest
   * runs, as after a downtime.
   */
  async resume(queue: QueueName): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.execute(
        `UPDATE job_runs r
         SET state = 'cancelled', error = 'a later slot came while the queue was paused', finished_at = $2,
             lease_token = NULL, lease_until = NULL
         WHERE r.job = ANY ($1) AND r.state = 'queued' AND r.slot IS NOT NULL
           AND EXISTS (SELECT FROM job_runs n
                       WHERE n.tenant_id = r.tenant_id AND n.job = r.job AND n.state = 'queued'
                         AND n.slot IS NOT NULL AND n.due_at > r.due_at)
           AND EXISTS (SELECT FROM paused_run_queues WHERE queue = $3)`,
        [jobsOf(queue), this.clock.now(), queue],
      );
      await tx.execute(`DELETE FROM paused_run_queues WHERE queue = $1`, [queue]);
    });
  }

  /** Cancels the waiting runs, of all tenants or of one. A cancelled slot does not run again. */
  async purge(queue: QueueName, tenantId: string | null): Promise<RunPurge> {
    const [row] = await this.database.query<{ cancelled: number }>(
      `WITH cancelled AS (
         UPDATE job_runs r
         SET state = 'cancelled', error = 'purged', finished_at = $3, lease_token = NULL, lease_until = NULL
         FROM (SELECT tenant_id, id FROM job_runs
               WHERE state = 'queued' AND job = ANY ($1) AND ($2::uuid IS NULL OR tenant_id = $2)
               ORDER BY tenant_id, id FOR UPDATE) q
         WHERE r.tenant_id = q.tenant_id AND r.id = q.id
         RETURNING 1
       )
       SELECT count(*) AS cancelled FROM cancelled`,
      [jobsOf(queue), tenantId, this.clock.now()],
    );
    const { queued, running } = await this.open(queue, tenantId);
    return { cancelled: row?.cancelled ?? 0, still_running: running, remaining: queued };
  }

  /**
   * Repeats failures of the last `days` days: for each tenant and job the latest run, if it failed. An older one would
   * find the same facts.
   * @returns runs with a lease, to be enqueued.
   */
  async retry(queue: QueueName, days: number, tenantId: string | null): Promise<QueuedRun[]> {
    const since = new Date(this.clock.now().getTime() - days * DAY_MS);
    return this.database.query<QueuedRun>(
      `UPDATE job_runs r
       SET state = 'queued', attempts = 0, error = NULL, finished_at = NULL, started_at = NULL,
           lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $4)
       FROM (SELECT f.tenant_id, f.id FROM job_runs f
             JOIN tenants t ON t.id = f.tenant_id AND t.suspended_at IS NULL
             WHERE f.job = ANY ($1) AND f.state = 'failed' AND f.finished_at > $2
               AND ($3::uuid IS NULL OR f.tenant_id = $3)
               AND NOT EXISTS (SELECT FROM job_runs n
                               WHERE n.tenant_id = f.tenant_id AND n.job = f.job
                                 AND (n.created_at, n.id) > (f.created_at, f.id))
             ORDER BY f.tenant_id, f.id FOR UPDATE OF f) q
       WHERE r.tenant_id = q.tenant_id AND r.id = q.id
       RETURNING r.tenant_id, r.id AS run_id, r.job, r.lease_token`,
      [jobsOf(queue), since, tenantId, RUN_LEASE_SECONDS],
    );
  }

  private async open(
    queue: QueueName,
    tenantId: string | null,
  ): Promise<{ queued: number; running: number }> {
    const [row] = await this.database.query<{ queued: number; running: number }>(
      `SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
              count(*) FILTER (WHERE state = 'running') AS running
       FROM job_runs
       WHERE state IN ('queued', 'running') AND job = ANY ($1) AND ($2::uuid IS NULL OR tenant_id = $2)`,
      [jobsOf(queue), tenantId],
    );
    return row ?? { queued: 0, running: 0 };
  }
}

/**
 * The first runs of the jobs in $2, at most $4, by the index `job_runs_by_state`: it has those that have not ended in the
 * order of their creation. The inner limit keeps each job on it.
 */
const firstRuns = (condition: string): string => `
  (SELECT r.due_at FROM unnest($2::text[]) AS j (job)
   CROSS JOIN LATERAL (
     SELECT due_at FROM job_runs WHERE job = j.job AND ${condition} ORDER BY finished_at, id LIMIT $4) r
   LIMIT $4) runs`;

// $1 queue, $2 its jobs, $3 a day ago, $4 where each count stops
const QUEUE_COUNTS = `
  SELECT EXISTS (SELECT FROM paused_run_queues WHERE queue = $1) AS paused, queued.*, running.*, succeeded.*, failed.*
  FROM (SELECT count(*) AS queued, min(due_at) AS oldest FROM ${firstRuns(`state = 'queued'`)}) queued,
       (SELECT count(*) AS running FROM ${firstRuns(`state = 'running'`)}) running,
       (SELECT count(*) AS succeeded_24h FROM ${firstRuns(`state = 'succeeded' AND finished_at > $3`)}) succeeded,
       (SELECT count(*) AS failed_24h FROM ${firstRuns(`state = 'failed' AND finished_at > $3`)}) failed`;

/** The scheduled jobs of this queue. */
export function jobsOf(queue: QueueName): ScheduledJob[] {
  return SCHEDULED_JOBS.filter((job) => JOBS[job].queue === queue);
}
