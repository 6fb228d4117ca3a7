import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  groupOf,
  JOBS,
  QUEUES,
  type RunCounts,
  runDeclaration,
  type RunJob,
  type ScheduledJob,
} from '../contracts/jobs.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Metrics, secondsSince } from '../platform/metrics/metrics.js';
import { concurrencyOf } from '../platform/queues/concurrency.js';
import { JobHandlers, type ShowProgress } from '../platform/queues/handlers.js';
import { HeldRun } from './held-run.js';
import { LongSlots } from './long-slots.js';
import { OverdueRuns } from './overdue-runs.js';
import { RunProgress } from './run-progress.js';
import { type ClaimedRun, RunRecord } from './run-record.js';

/** One run of a scheduled job for one tenant, as its handler sees it. */
export interface Run {
  id: string;
  tenant_id: string;
  job: ScheduledJob;
  /** Local date and time for fixed hours, UTC for intervals, null for a manual run. */
  slot: string | null;
  /**
   * The current day for this run: the civil date of its slot, whatever the worker's clock shows. Null without a slot,
   * and for intervals, which have no civil date.
   */
  date: string | null;
  /** Aborted when the run's lease is lost, because another process may take it over, or when it takes too long. */
  signal: AbortSignal;
  /** Reports the counts so far, for people. Call it as often as you like: it is written at most every 2 s. */
  progress(counts: RunCounts): void;
}

/** When a run that finds no free slot is retried, by any worker. */
const NO_PLACE_SECONDS = 10;

/** The work of a run, and where its progress is written. */
interface Task {
  work: (run: Run) => Promise<RunCounts>;
  show: ShowProgress;
}

/**
 * Takes a run from the ledger through its handler to its outcome: claims it with its lease token, renews the lease,
 * records the outcome. Runs of one job (or group of jobs) and tenant never overlap. A handler may be restarted, so each
 * of its steps must be repeatable.
 */
@Injectable()
export class RunHandlers {
  private readonly logger = new Logger('Runs');
  private readonly places: ReadonlyMap<string, LongSlots>;

  constructor(
    private readonly jobs: JobHandlers,
    private readonly record: RunRecord,
    private readonly overdue: OverdueRuns,
    private readonly metrics: Metrics,
    @Inject(CONFIG) config: Config,
  ) {
    this.places = new Map(QUEUES.map((queue) => [queue, new LongSlots(concurrencyOf(queue, config))]));
  }

  /** Registers the only handler of this job; its result is stored as the run's counts. */
  register(job: ScheduledJob, work: (run: Run) => Promise<RunCounts>): void {
    this.jobs.register(job, (payload, show) => this.perform(job, payload, { work, show }));
  }

  private async perform(job: ScheduledJob, payload: RunJob, task: Task): Promise<void> {
    // A hanging job would hang again, and block another slot of this process.
    if (this.overdue.includes(payload.tenant_id, groupOf(job))) {
      return this.record.release(payload, NO_PLACE_SECONDS);
    }
    if (runDeclaration(job).long !== true) return this.performInPlace(job, payload, task);
    const leave = await this.places.get(JOBS[job].queue)?.take();
    // It has not started, so the attempt does not count.
    if (leave == null) return this.record.release(payload, NO_PLACE_SECONDS);
    try {
      await this.performInPlace(job, payload, task);
    } finally {
      leave();
    }
  }

  private async performInPlace(job: ScheduledJob, payload: RunJob, task: Task): Promise<void> {
    const asked_at = performance.now();
    const claimed = await this.record.claim(job, payload);
    if (claimed === null) return this.record.release(payload, 0);
    const held = new HeldRun({
      run_id: payload.run_id,
      asked_at,
      max_ms: runDeclaration(job).max_minutes * 60_000,
      renew: () => this.record.renew(payload),
      onOverdue: () => this.overdue.add(job, payload),
    });
    try {
      await this.attempt(payload, claimed, held.signal, task);
    } finally {
      held.end();
      this.overdue.remove(payload);
    }
  }

  private async attempt(
    payload: RunJob,
    { job, slot }: ClaimedRun,
    signal: AbortSignal,
    { work, show }: Task,
  ): Promise<void> {
    const { run_id: id, tenant_id } = payload;
    const progress = new RunProgress(async (counts) => {
      show(counts);
      await this.record.writeProgress(payload, counts);
    });
    const began = performance.now();
    let counts: RunCounts;
    try {
      const date = dateOfSlot(slot);
      counts = await work({
        id,
        tenant_id,
        job,
        slot,
        date,
        signal,
        progress: (done) => progress.note(done),
      });
    } catch (error) {
      await progress.end();
      await this.fail(payload, job, error);
      return;
    } finally {
      this.metrics.observe('vigie_run_duration_seconds', { job }, secondsSince(began));
    }
    await progress.end();
    // If this cannot be written the lease expires, and the run is repeated.
    await this.record.writeSuccess(payload, counts);
    this.metrics.count('vigie_runs_total', { job, outcome: 'succeeded' });
  }

  private async fail(payload: RunJob, job: ScheduledJob, error: unknown): Promise<void> {
    const ended = await this.record.writeFailure(payload, error);
    const outcome = ended?.state === 'failed' ? 'failed' : 'retry';
    this.metrics.count('vigie_runs_total', { job, outcome });
    const line = { event: 'run_failed', job, run_id: payload.run_id, attempt: ended?.attempts, err: error };
    if (outcome === 'failed') this.logger.error(line);
    else this.logger.warn(line);
  }
}

/** The civil date in a slot of fixed hours. A slot of an interval ends with Z. */
function dateOfSlot(slot: string | null): string | null {
  return slot === null || slot.endsWith('Z') ? null : slot.slice(0, 10);
}
