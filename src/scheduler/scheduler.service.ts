import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { notFound } from '../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../platform/http/cursor.js';
import { Queues } from '../platform/queues/queues.js';
import { RedisRefusal } from '../platform/redis/refusals.js';
import { effectiveSettings, type TenantSettings } from '../tenants/settings/tenant-settings.js';
import { type QueuedRun, RunLedger, type SlotRun, type TenantSelection } from '../runs/run-ledger.js';
import { RunQueues } from '../runs/run-queues.js';
import { isFinished, type RunState, type RunStateName, type RunView } from '../runs/run.dto.js';
import { firstOfPeriod, runFor } from './occasions.js';
import type { SchedulePreview, SchedulerStatus } from './scheduler.dto.js';
import { nextToRun, scheduleOf, slotsOfDate, slotsToRun } from './schedules.js';
import { latestOwedSlot, nextSlot } from './slots.js';

/** A manual run. */
export interface TriggeredRun {
  run_id: string;
  tenant_id: string;
}

/** Filters a tenant's runs, newest first. */
export interface RunQuery {
  limit: number;
  cursor?: string;
  job?: ScheduledJob;
  state?: RunStateName;
  /** Due at this instant or later, and before the other one. */
  since?: string;
  until?: string;
}

interface TenantHours {
  time_zone: string;
  schedule_from: Date;
  suspended_at: Date | null;
  settings: TenantSettings;
}

const RUN_COLUMNS = `id, job, slot, time_zone, state, attempts, counts, error, triggered_by, due_at, created_at,
                     started_at, finished_at`;
/** Jobs per Redis command. */
const ENQUEUED_AT_ONCE = 1_000;
const WAIT_STEP_MS = 100;
const MAX_RUNS_OF_DAY = 100;

/** Triggers runs, and shows past and coming ones. */
@Injectable()
export class Scheduler implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Scheduler');
  private stopping = false;

  constructor(
    private readonly ledger: RunLedger,
    private readonly runQueues: RunQueues,
    private readonly database: Database,
    private readonly queues: Queues,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Runs a job now for these tenants, except suspended ones. Returns once the runs are in the ledger: if Redis does not
   * accept them, the reaper enqueues them later.
   * @param by who triggered it, e.g. `user:<id>`.
   */
  async trigger(job: ScheduledJob, tenants: TenantSelection, by: string): Promise<TriggeredRun[]> {
    const runs = await this.ledger.insertTriggered(job, tenants, by);
    await this.enqueue(runs);
    return runs.map(({ run_id, tenant_id }) => ({ run_id, tenant_id }));
  }

  /** The same for the transaction's tenant; enqueued after the commit. */
  async triggerIn(tx: TenantTransaction, job: ScheduledJob, by: string): Promise<TriggeredRun> {
    const run = await this.ledger.insertTriggeredIn(tx, job, by);
    tx.afterCommit(() => void this.enqueue([run]));
    return { run_id: run.run_id, tenant_id: run.tenant_id };
  }

  /**
   * The runs' states, in order, once all have finished, `timeoutMs` has passed or the process shuts down.
   * @param signal ends the wait, too, when it aborts
   */
  async wait(runs: readonly TriggeredRun[], timeoutMs: number, signal?: AbortSignal): Promise<RunState[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const states = await this.ledger.states(runs);
      const over = this.stopping || signal?.aborted === true || performance.now() >= deadline;
      if (over || states.every(isFinished)) return states;
      await delay(WAIT_STEP_MS);
    }
  }

  /** Every job of the tenant: its hours, its last run, its next slot. */
  async status(tenantId: string): Promise<SchedulerStatus> {
    const { tenant, runs } = await this.database.tenant(tenantId, async (tx) => ({
      tenant: await hoursOf(tx),
      runs: await tx.query<RunView>(
        `SELECT r.* FROM unnest($2::text[]) AS j (job)
         CROSS JOIN LATERAL (
           SELECT ${RUN_COLUMNS} FROM job_runs
           WHERE tenant_id = $1 AND job = j.job ORDER BY created_at DESC, id DESC LIMIT 1
         ) r`,
        [tenantId, SCHEDULED_JOBS],
      ),
    }));
    const now = this.clock.now();
    const known = await this.slotRuns(tenantId, SCHEDULED_JOBS, tenant, now);
    return {
      enabled: this.config.schedulerEnabled,
      last_poll_at: await this.ledger.lastPoll(),
      time_zone: tenant.time_zone,
      schedule_from: tenant.schedule_from,
      jobs: SCHEDULED_JOBS.map((job) => {
        const schedule = scheduleOf(job, tenant.settings);
        const zoned = { schedule, zone: tenant.time_zone };
        const ofJob = known.filter((run) => run.job === job);
        return {
          job,
          schedule,
          last_run: runs.find((run) => run.job === job) ?? null,
          next: this.isActive(tenant) ? nextToRun(zoned, ofJob, now, tenant.schedule_from) : null,
        };
      }),
    };
  }

  /** The slots of one day of the tenant's calendar (YYYY-MM-DD), computed by the same code that runs them. */
  async preview(job: ScheduledJob, tenantId: string, date: string): Promise<SchedulePreview> {
    const tenant = await this.database.tenant(tenantId, hoursOf);
    const { time_zone, schedule_from } = tenant;
    const now = this.clock.now();
    const schedule = scheduleOf(job, tenant.settings);
    const slots = slotsOfDate(schedule, time_zone, date);
    const [ofDate, ofNow] = await Promise.all([
      this.ledger.slotRuns(
        slots.slice(0, 1).map(({ slot }) => ({
          tenant_id: tenantId,
          job,
          since: firstOfPeriod(slot, schedule),
        })),
      ),
      this.slotRuns(tenantId, [job], tenant, now),
    ]);
    const owed = slotsToRun({ schedule, zone: time_zone }, ofNow, now, schedule_from);
    return {
      job,
      date,
      time_zone,
      slots: slots.map(({ slot, instant }) => {
        const run_id = runFor(slot, schedule, ofDate)?.id ?? null;
        const isAhead = instant > now && instant >= schedule_from;
        const isOwed = owed.some((one) => one.slot === slot);
        return {
          slot,
          instant,
          run_id,
          will_run: run_id === null && this.isActive(tenant) && (isAhead || isOwed),
        };
      }),
    };
  }

  /**
   * Runs of a job by their ids, and those triggered manually between two instants, in order; at most 100.
   * @param day `start` is included, `end` is not
   */
  async runsOfDay(
    tenantId: string,
    { job, ids, start, end }: { job: ScheduledJob; ids: readonly string[]; start: Date; end: Date },
  ): Promise<RunView[]> {
    return this.database.single(tenantId).query<RunView>(
      `SELECT ${RUN_COLUMNS} FROM job_runs
       WHERE tenant_id = $1 AND job = $2
         AND (id = ANY ($3::uuid[]) OR (slot IS NULL AND created_at >= $4 AND created_at < $5))
       ORDER BY id LIMIT ${MAX_RUNS_OF_DAY}`,
      [tenantId, job, ids, start, end],
    );
  }

  /** The tenant's runs, newest first. */
  async runs(
    tenantId: string,
    { limit, cursor, job, state, since, until }: RunQuery,
  ): Promise<Page<RunView>> {
    // Ids grow with time, so they sort the runs.
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<RunView>(
        `SELECT ${RUN_COLUMNS} FROM job_runs
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR job = $3)
           AND ($4::text IS NULL OR state = $4)
           AND ($5::timestamptz IS NULL OR due_at >= $5) AND ($6::timestamptz IS NULL OR due_at < $6)
         ORDER BY id DESC LIMIT $7`,
        [tenantId, before, job ?? null, state ?? null, since ?? null, until ?? null, limit + 1],
      ),
    );
    return pageOf(
      rows,
      limit,
      (run) => [run.id],
      (run) => run,
    );
  }

  /**
   * Enqueues leased runs in Bull. Runs that Redis does not accept, and those of a paused queue, are released to the
   * reaper; nothing is thrown.
   */
  async enqueue(runs: readonly QueuedRun[]): Promise<void> {
    for (const job of SCHEDULED_JOBS) {
      const all = runs.filter((run) => run.job === job);
      for (let start = 0; start < all.length; start += ENQUEUED_AT_ONCE) {
        await this.enqueueSome(job, all.slice(start, start + ENQUEUED_AT_ONCE));
      }
    }
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  private isActive({ suspended_at }: TenantHours): boolean {
    return this.config.schedulerEnabled && suspended_at === null;
  }

  /** The runs that decide which slots of these jobs are due now, and which come next. */
  private async slotRuns(
    tenantId: string,
    jobs: readonly ScheduledJob[],
    { settings, time_zone, schedule_from }: TenantHours,
    now: Date,
  ): Promise<SlotRun[]> {
    return this.ledger.slotRuns(
      jobs.flatMap((job) => {
        const schedule = scheduleOf(job, settings);
        const first =
          latestOwedSlot(schedule, time_zone, now, schedule_from) ?? nextSlot(schedule, time_zone, now);
        return first === null
          ? []
          : [{ tenant_id: tenantId, job, since: firstOfPeriod(first.slot, schedule) }];
      }),
    );
  }

  private async enqueueSome(job: ScheduledJob, runs: readonly QueuedRun[]): Promise<void> {
    try {
      if ((await this.runQueues.pausedJobs()).includes(job)) {
        await this.ledger.release(runs);
        return;
      }
      await this.queues.enqueue(
        job,
        runs.map(({ tenant_id, run_id, lease_token }) => ({
          id: lease_token,
          payload: { tenant_id, run_id, lease_token },
        })),
      );
    } catch (error) {
      if (!(error instanceof RedisRefusal))
        this.logger.warn({ event: 'runs_not_enqueued', job, runs: runs.length, err: error });
      // Without this their leases expire anyway, only later.
      await this.ledger
        .release(runs)
        .catch((failure: unknown) => this.logger.warn({ event: 'runs_not_released', job, err: failure }));
    }
  }
}

async function hoursOf(tx: TenantTransaction): Promise<TenantHours> {
  const tenant = await tx.one<TenantHours>(
    'SELECT time_zone, schedule_from, suspended_at, settings FROM tenants WHERE id = $1',
    [tx.tenant_id],
  );
  if (tenant === null) throw notFound();
  return { ...tenant, settings: effectiveSettings(tenant.settings) };
}
