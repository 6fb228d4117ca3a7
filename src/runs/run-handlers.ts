import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  JOBS,
  LONG_JOBS,
  QUEUES,
  RUN_GROUPS,
  type RunCounts,
  type RunJob,
  type ScheduledJob,
} from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Database } from '../platform/database/database.js';
import { Metrics, secondsSince } from '../platform/metrics/metrics.js';
import { concurrencyOf } from '../platform/queues/concurrency.js';
import { JobHandlers, type ShowProgress } from '../platform/queues/handlers.js';
import { LongSlots } from './long-slots.js';
import { RunProgress } from './run-progress.js';

/** One run of a scheduled job for one tenant, as its handler sees it. */
export interface Run {
  id: string;
  tenant_id: string;
  job: ScheduledJob;
  /** Local date and time for fixed hours, UTC for intervals, null for a run by hand. */
  slot: string | null;
  /** Aborted when the run's lease is lost: another process may be doing it. */
  signal: AbortSignal;
  /** What it has done so far, for people to see. Call it as often as you like: it is written at most every 2 s. */
  progress(counts: RunCounts): void;
}

/** A run's lease; renewed at a third of it. */
export const RUN_LEASE_SECONDS = 60;
/** A run that failed, or crashed its process, this often is not tried again. */
export const RUN_MAX_ATTEMPTS = 3;
/** Wait before a failed run is tried again, in seconds; once more as long with each attempt. */
const RUN_RETRY_SECONDS = 30;
/** When a run that found no place among a worker's slots is tried again, here or elsewhere. */
const NO_PLACE_SECONDS = 10;

/** What a run does, and where its progress is shown. */
interface Task {
  work: (run: Run) => Promise<RunCounts>;
  show: ShowProgress;
}

interface ClaimedRun {
  job: ScheduledJob;
  slot: string | null;
}

/**
 * Carries a run from the ledger through its handler to its outcome: claim by lease token, renew, record. Runs of
 * one job (or group of jobs) and tenant never overlap. A handler may be run again from its beginning, so each of its steps can be repeated.
 */
@Injectable()
export class RunHandlers {
  private readonly logger = new Logger('Runs');
  private readonly places: ReadonlyMap<string, LongSlots>;

  constructor(
    private readonly jobs: JobHandlers,
    private readonly database: Database,
    private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.places = new Map(QUEUES.map((queue) => [queue, new LongSlots(concurrencyOf(queue, config))]));
  }

  /** Names the one function that does this job; what it returns is kept as the run's counts. */
  register(job: ScheduledJob, work: (run: Run) => Promise<RunCounts>): void {
    this.jobs.register(job, (payload, show) => this.perform(job, payload, { work, show }));
  }

  private async perform(job: ScheduledJob, payload: RunJob, task: Task): Promise<void> {
    if (!LONG_JOBS.includes(job)) return this.performInPlace(job, payload, task);
    const leave = await this.places.get(JOBS[job].queue)?.take();
    // Not begun, so no attempt is used up.
    if (leave == null) return this.giveBack(payload, NO_PLACE_SECONDS);
    try {
      await this.performInPlace(job, payload, task);
    } finally {
      leave();
    }
  }

  private async performInPlace(job: ScheduledJob, payload: RunJob, task: Task): Promise<void> {
    const claimed = await this.claim(job, payload);
    if (claimed === null) return this.giveBack(payload, 0);
    const lost = new AbortController();
    const renewal = setInterval(() => void this.renew(payload, lost), (RUN_LEASE_SECONDS * 1_000) / 3);
    try {
      await this.attempt(payload, claimed, lost.signal, task);
    } finally {
      clearInterval(renewal);
    }
  }

  private async attempt(
    payload: RunJob,
    { job, slot }: ClaimedRun,
    signal: AbortSignal,
    { work, show }: Task,
  ): Promise<void> {
    const { run_id: id, tenant_id } = payload;
    const progress = new RunProgress((counts) => this.writeProgress(payload, counts, show));
    const began = performance.now();
    let counts: RunCounts;
    try {
      counts = await work({ id, tenant_id, job, slot, signal, progress: (done) => progress.note(done) });
    } catch (error) {
      await progress.end();
      await this.failed(payload, job, error);
      return;
    } finally {
      this.metrics.observe('vigie_run_duration_seconds', { job }, secondsSince(began));
    }
    await progress.end();
    // When this can't be written the lease runs out, and the run is repeated.
    await this.succeeded(payload, counts);
    this.metrics.count('vigie_runs_total', { job, outcome: 'succeeded' });
  }

  /**
   * `queued` → `running`; null when the token is no longer the run's, or another run of this job, or of its group,
   * is going on for the tenant.
   */
  private async claim(
    job: ScheduledJob,
    { tenant_id, run_id, lease_token }: RunJob,
  ): Promise<ClaimedRun | null> {
    const group = RUN_GROUPS.find((jobs) => jobs.includes(job)) ?? [job];
    return this.database.tenant(tenant_id, async (tx) => {
      // Of two claims at once the second sees what the first has done. One message: the second statement begins, with
      // a view of its own, when the first has the lock.
      const [, claimed] = await Promise.all([
        tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`run:${tenant_id}:${group[0]}`]),
        tx.one<ClaimedRun>(
          `UPDATE job_runs
           SET state = 'running', started_at = $4, attempts = attempts + 1, counts = NULL,
               lease_until = now() + make_interval(secs => $5)
           WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'queued'
             AND NOT EXISTS (SELECT FROM job_runs o
                             WHERE o.tenant_id = $1 AND o.job = ANY ($6) AND o.state = 'running'
                               AND o.lease_until > now())
           RETURNING job, slot`,
          [tenant_id, run_id, lease_token, this.clock.now(), RUN_LEASE_SECONDS, group],
        ),
      ]);
      return claimed;
    });
  }

  /** To the reaper, which enqueues it again in its next round that is `seconds` away. */
  private async giveBack({ tenant_id, run_id, lease_token }: RunJob, seconds: number): Promise<void> {
    await this.database.single(tenant_id).query(
      `UPDATE job_runs SET lease_until = now() + make_interval(secs => $4)
       WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'queued'`,
      [tenant_id, run_id, lease_token, seconds],
    );
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

  /** What it has done so far, while it is this process's. */
  private async writeProgress(
    { tenant_id, run_id, lease_token }: RunJob,
    counts: RunCounts,
    show: ShowProgress,
  ): Promise<void> {
    show(counts);
    try {
      await this.database.single(tenant_id).query(
        `UPDATE job_runs SET counts = $4
         WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'`,
        [tenant_id, run_id, lease_token, counts],
      );
    } catch (error) {
      // It is for people to look at; the next one may get through.
      this.logger.warn({ event: 'run_progress_failed', run_id, err: error });
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
