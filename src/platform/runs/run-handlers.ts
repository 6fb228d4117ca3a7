import { Inject, Injectable, Logger } from '@nestjs/common';
import type { RunCounts, RunJob, ScheduledJob } from '../../contracts/jobs.js';
import { Clock } from '../clock/clock.js';
import { Database } from '../database/database.js';
import { Metrics, secondsSince } from '../metrics/metrics.js';
import { JobHandlers } from '../queues/handlers.js';

/** One run of a scheduled job for one tenant, as its handler sees it. */
export interface Run {
  id: string;
  tenant_id: string;
  job: ScheduledJob;
  /** Local date and time for fixed hours, UTC for intervals, null for a run by hand. */
  slot: string | null;
  /** Aborted when the run's lease is lost: another process may be doing it. */
  signal: AbortSignal;
}

/** A run's lease; renewed at a third of it. */
export const RUN_LEASE_SECONDS = 60;
/** A run that failed, or crashed its process, this often is not tried again. */
export const RUN_MAX_ATTEMPTS = 3;
/** Wait before a failed run is tried again, in seconds; once more as long with each attempt. */
const RUN_RETRY_SECONDS = 30;

interface ClaimedRun {
  job: ScheduledJob;
  slot: string | null;
}

/**
 * Carries a run from the ledger through its handler to its outcome: claim by lease token, renew, record. Runs of
 * one job and tenant never overlap. A handler may be run again from its beginning, so each of its steps can be repeated.
 */
@Injectable()
export class RunHandlers {
  private readonly logger = new Logger('Runs');

  constructor(
    private readonly jobs: JobHandlers,
    private readonly database: Database,
    private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Names the one function that does this job; what it returns is kept as the run's counts. */
  register(job: ScheduledJob, work: (run: Run) => Promise<RunCounts>): void {
    this.jobs.register(job, (payload) => this.perform(job, payload, work));
  }

  private async perform(
    job: ScheduledJob,
    payload: RunJob,
    work: (run: Run) => Promise<RunCounts>,
  ): Promise<void> {
    const claimed = await this.claim(job, payload);
    if (claimed === null) return;
    const lost = new AbortController();
    const renewal = setInterval(() => void this.renew(payload, lost), (RUN_LEASE_SECONDS * 1_000) / 3);
    try {
      await this.attempt(payload, claimed, lost.signal, work);
    } finally {
      clearInterval(renewal);
    }
  }

  private async attempt(
    payload: RunJob,
    { job, slot }: ClaimedRun,
    signal: AbortSignal,
    work: (run: Run) => Promise<RunCounts>,
  ): Promise<void> {
    const began = performance.now();
    let counts: RunCounts;
    try {
      counts = await work({ id: payload.run_id, tenant_id: payload.tenant_id, job, slot, signal });
    } catch (error) {
      await this.failed(payload, job, error);
      return;
    } finally {
      this.metrics.observe('vigie_run_duration_seconds', { job }, secondsSince(began));
    }
    // When this can't be written the lease runs out, and the run is repeated.
    await this.succeeded(payload, counts);
    this.metrics.count('vigie_runs_total', { job, outcome: 'succeeded' });
  }

  /**
   * `queued` → `running`; null when the token is no longer the run's, or another run of this job is going on for
   * the tenant. In the latter case the run goes back to the reaper, which enqueues it again in its next round.
   */
  private async claim(
    job: ScheduledJob,
    { tenant_id, run_id, lease_token }: RunJob,
  ): Promise<ClaimedRun | null> {
    return this.database.tenant(tenant_id, async (tx) => {
      // Of two claims at once the second sees what the first has done. One message: the second statement begins, with
      // a view of its own, when the first has the lock.
      const [, claimed] = await Promise.all([
        tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`run:${tenant_id}:${job}`]),
        tx.one<ClaimedRun>(
          `UPDATE job_runs
           SET state = 'running', started_at = $4, attempts = attempts + 1,
               lease_until = now() + make_interval(secs => $5)
           WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'queued'
             AND NOT EXISTS (SELECT FROM job_runs o
                             WHERE o.tenant_id = $1 AND o.job = job_runs.job AND o.state = 'running'
                               AND o.lease_until > now())
           RETURNING job, slot`,
          [tenant_id, run_id, lease_token, this.clock.now(), RUN_LEASE_SECONDS],
        ),
      ]);
      if (claimed !== null) return claimed;
      await tx.execute(
        `UPDATE job_runs SET lease_until = now()
         WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'queued'`,
        [tenant_id, run_id, lease_token],
      );
      return null;
    });
  }

  private async renew({ tenant_id, run_id, lease_token }: RunJob, lost: AbortController): Promise<void> {
    try {
      const held = await this.database.tenant(tenant_id, (tx) =>
        tx.execute(
          `UPDATE job_runs SET lease_until = now() + make_interval(secs => $4)
           WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'`,
          [tenant_id, run_id, lease_token, RUN_LEASE_SECONDS],
        ),
      );
      if (held === 0) lost.abort();
    } catch (error) {
      // The next renewal may get through; if none does, the lease runs out as it should.
      this.logger.warn({ event: 'run_renewal_failed', run_id, err: error });
    }
  }

  private async succeeded({ tenant_id, run_id, lease_token }: RunJob, counts: RunCounts): Promise<void> {
    await this.database.single(tenant_id).query(
      `UPDATE job_runs
       SET state = 'succeeded', counts = $4, error = NULL, finished_at = $5, lease_token = NULL,
           lease_until = NULL
       WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'`,
      [tenant_id, run_id, lease_token, counts, this.clock.now()],
    );
  }

  /**
   * Back to `queued`, under a lease that nobody holds: when it runs out the scheduler enqueues the run again. A
   * dropped connection or a deadlock must not cost a tenant its weekly summary. Failed for good the third time; at
   * once when somebody ran it by hand: they are told, and decide.
   */
  private async failed(
    { tenant_id, run_id, lease_token }: RunJob,
    job: string,
    error: unknown,
  ): Promise<void> {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
    const ended = await this.database.tenant(tenant_id, (tx) =>
      tx.one<{ state: string; attempts: number }>(
        `UPDATE job_runs
         SET error = $4,
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
    const outcome = ended?.state === 'failed' ? 'failed' : 'retry';
    this.metrics.count('vigie_runs_total', { job, outcome });
    const line = { event: 'run_failed', job, run_id, attempt: ended?.attempts, err: error };
    if (outcome === 'failed') this.logger.error(line);
    else this.logger.warn(line);
  }
}
