import { Inject, Injectable, Logger } from '@nestjs/common';
import { groupOf, type RunCounts, type RunJob, type ScheduledJob } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { prepared } from '../platform/database/transaction.js';

/** The length of a run's lease; renewed after a third of it. */
export const RUN_LEASE_SECONDS = 60;
/** A run that failed, or crashed its process, this often is not retried. */
export const RUN_MAX_ATTEMPTS = 3;
/** Wait before a failed run is retried, in seconds, multiplied by the number of attempts. */
const RUN_RETRY_SECONDS = 30;

/** The data of a claimed run. */
export interface ClaimedRun {
  job: ScheduledJob;
  slot: string | null;
  /** The slot's instant; for a run without a slot, when it was triggered. */
  due_at: Date;
  /** This one included. */
  attempts: number;
  /** By the Clock that decides what is due. */
  started_at: Date;
}

/** Each run is claimed and ended once: planning these would cost as much as running them. */
const CLAIM = prepared(`
  UPDATE job_runs
  SET state = 'running', started_at = $4, attempts = attempts + 1, counts = NULL,
      lease_until = now() + make_interval(secs => $5)
  WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'queued'
    AND NOT EXISTS (SELECT FROM job_runs o
                    WHERE o.tenant_id = $1 AND o.job = ANY ($6) AND o.state = 'running'
                      AND o.lease_until > now())
  RETURNING job, slot, due_at, attempts, started_at`);

const SUCCEED = prepared(`
  UPDATE job_runs
  SET state = 'succeeded', counts = $4, error = NULL, finished_at = $5, lease_token = NULL,
      lease_until = NULL
  WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'`);

/** The statements on one run of the ledger, with its lease token. */
@Injectable()
export class RunRecord {
  private readonly logger = new Logger('Runs');

  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * `queued` → `running`. Null if the token is no longer the run's, or another run of this job or its group is running
   * for the tenant.
   */
  async claim(job: ScheduledJob, { tenant_id, run_id, lease_token }: RunJob): Promise<ClaimedRun | null> {
    const group = groupOf(job);
    return this.database.tenant(tenant_id, async (tx) => {
      // Of two concurrent claims the second sees the first one's row. Both statements share a round trip: the second
      // takes its snapshot after the first has the lock.
      const [, claimed] = await Promise.all([
        tx.lock(`run:${tenant_id}:${group[0]}`),
        tx.one<ClaimedRun>(CLAIM, [
          tenant_id,
          run_id,
          lease_token,
          this.clock.now(),
          RUN_LEASE_SECONDS,
          group,
        ]),
      ]);
      return claimed;
    });
  }

  /** Returns the run to the reaper, which enqueues it again in its next round after `seconds`. */
  async release({ tenant_id, run_id, lease_token }: RunJob, seconds: number): Promise<void> {
    await this.database.single(tenant_id).query(
      `UPDATE job_runs SET lease_until = now() + make_interval(secs => $4), postponed = true
       WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'queued'`,
      [tenant_id, run_id, lease_token, seconds],
    );
  }

  /** False if another process has the lease. */
  async renew({ tenant_id, run_id, lease_token }: RunJob): Promise<boolean> {
    const renewed = await this.database.tenant(tenant_id, (tx) =>
      tx.execute(
        `UPDATE job_runs SET lease_until = now() + make_interval(secs => $4)
         WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'`,
        [tenant_id, run_id, lease_token, RUN_LEASE_SECONDS],
      ),
    );
    return renewed > 0;
  }

  /** Writes the run's progress, if this process still has its lease. Throws nothing. */
  async writeProgress({ tenant_id, run_id, lease_token }: RunJob, counts: RunCounts): Promise<void> {
    try {
      await this.database.single(tenant_id).query(
        `UPDATE job_runs SET counts = $4
         WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'`,
        [tenant_id, run_id, lease_token, counts],
      );
    } catch (error) {
      // Progress is only shown to people, and the next write may succeed.
      this.logger.warn({ event: 'run_progress_failed', run_id, err: error });
    }
  }

  async writeSuccess({ tenant_id, run_id, lease_token }: RunJob, counts: RunCounts): Promise<void> {
    await this.database
      .single(tenant_id)
      .query(SUCCEED, [tenant_id, run_id, lease_token, counts, this.clock.now()]);
  }

  /**
   * Back to `queued`: the scheduler enqueues the run again once its lease expires. A dropped connection or a deadlock
   * must not cost a tenant its weekly summary. `failed` permanently the third time; at once for a manual run, whose
   * caller sees it and decides.
   * @returns the state and the number of attempts; null if another process has the lease.
   */
  async writeFailure(
    { tenant_id, run_id, lease_token }: RunJob,
    error: unknown,
  ): Promise<{ state: string; attempts: number } | null> {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
    return this.database.tenant(tenant_id, (tx) =>
      tx.one<{ state: string; attempts: number }>(
        `UPDATE job_runs
         SET error = $4, postponed = true,
             state = CASE WHEN attempts >= $5 OR slot IS NULL THEN 'failed' ELSE 'queued' END,
             finished_at = CASE WHEN attempts >= $5 OR slot IS NULL THEN $6::timestamptz END,
             lease_token = CASE WHEN attempts < $5 AND slot IS NOT NULL THEN lease_token END,
             lease_until = CASE WHEN attempts < $5 AND slot IS NOT NULL
                                THEN now() + make_interval(secs => $7 * attempts) END
         WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'
         RETURNING state, attempts`,
        [tenant_id, run_id, lease_token, message, RUN_MAX_ATTEMPTS, this.clock.now(), RUN_RETRY_SECONDS],
      ),
    );
  }
}
