import { randomUUID } from 'node:crypto';
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
import { currentRehearsal } from '../platform/database/rehearsal.js';
import { Metrics, secondsSince } from '../platform/metrics/metrics.js';
import { Tracing } from '../platform/tracing/tracing.js';
import { concurrencyOf } from '../platform/queues/concurrency.js';
import { JobHandlers, type ShowProgress } from '../platform/queues/handlers.js';
import { Heartbeat } from './heartbeat.js';
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

/** An item whose status a run changes. */
export interface StatusChange {
  source_type: string;
  id: string;
  title: string;
  client_name: string | null;
  due_on: string;
  responsible_id: string | null;
  status: string;
}

/** What a rehearsed run has done. */
export interface RehearsedRun {
  counts: RunCounts;
  /** The first of the items whose status it has changed. */
  changes?: readonly StatusChange[];
}

/**
 * The work of a run without its effects outside of PostgreSQL (files, archives): a preview runs it in a transaction that
 * is rolled back (`Database.rehearse`).
 */
export type RehearseRun = (run: Run) => Promise<RehearsedRun>;

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
  private readonly rehearsals = new Map<ScheduledJob, RehearseRun>();

  constructor(
    private readonly jobs: JobHandlers,
    private readonly record: RunRecord,
    private readonly overdue: OverdueRuns,
    private readonly metrics: Metrics,
    private readonly heartbeat: Heartbeat,
    private readonly tracing: Tracing,
    @Inject(CONFIG) config: Config,
  ) {
    this.places = new Map(QUEUES.map((queue) => [queue, new LongSlots(concurrencyOf(queue, config))]));
  }

  /**
   * Registers the only handler of this job; its result is stored as the run's counts.
   * @param rehearsal the same work for a preview; by default `work` itself, which then may only use `Database`
   */
  register(
    job: ScheduledJob,
    work: (run: Run) => Promise<RunCounts>,
    rehearsal: RehearseRun = async (run) => ({ counts: await work(run) }),
  ): void {
    this.jobs.register(job, (payload, show) => this.perform(job, payload, { work, show }));
    this.rehearsals.set(job, rehearsal);
  }

  /**
   * Runs the job's work as a run of this slot would. Call it in a rehearsal (`Database.rehearse`), while the clock shows
   * the slot's instant (`pretendNow`).
   * @param slot as in the ledger
   */
  async rehearse(
    job: ScheduledJob,
    { tenant_id, slot, signal }: Pick<Run, 'tenant_id' | 'slot' | 'signal'>,
  ): Promise<RehearsedRun> {
    if (currentRehearsal()?.tenant_id !== tenant_id) throw new Error('there is no rehearsal of this tenant');
    const work = this.rehearsals.get(job);
    if (work === undefined) throw new Error(`the job ${job} has no handler`);
    const date = dateOfSlot(slot);
    return work({ id: randomUUID(), tenant_id, job, slot, date, signal, progress: () => undefined });
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
    { job, slot, due_at, attempts, started_at }: ClaimedRun,
    signal: AbortSignal,
    { work, show }: Task,
  ): Promise<void> {
    const { run_id: id, tenant_id } = payload;
    const progress = new RunProgress(async (counts) => {
      show(counts);
      await this.record.writeProgress(payload, counts);
    });
    if (attempts === 1) {
      const lag = Math.max(0, started_at.getTime() - due_at.getTime()) / 1_000;
      this.metrics.observe('vigie_run_lag_seconds', { job }, lag);
    }
    const began = performance.now();
    let counts: RunCounts;
    try {
      const date = dateOfSlot(slot);
      const run = {
        id,
        tenant_id,
        job,
        slot,
        date,
        signal,
        progress: (done: RunCounts) => progress.note(done),
      };
      const about = { 'vigie.tenant_id': tenant_id, 'vigie.run_id': id, 'vigie.attempt': attempts };
      counts = await this.tracing.span(`run ${job}`, about, () => work(run), { kind: 'consumer' });
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
    for (const [item, count] of Object.entries(counts)) {
      if (count > 0) this.metrics.count('vigie_run_items_total', { job, item }, count);
    }
    this.heartbeat.send(job);
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
