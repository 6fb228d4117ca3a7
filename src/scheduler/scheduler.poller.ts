import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { SCHEDULED_JOBS } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { BackgroundWork } from '../platform/queues/background-work.js';
import { RUN_MAX_ATTEMPTS } from '../runs/run-record.js';
import { OwedSlots, runsToLookUp, withoutRun } from './owed-slots.js';
import { type InsertedRun, RunLedger, type ScheduledTenant } from '../runs/run-ledger.js';
import { RunQueues } from '../runs/run-queues.js';
import { Scheduler } from './scheduler.service.js';

/** Tenants per statement. */
const TENANTS_AT_ONCE = 1_000;
/** The clocks of two machines normally differ by less. */
const CLOCK_TOLERANCE_SECONDS = 1;
const REAP_INTERVAL_MS = 5_000;
/** Runs that one round of the reaper recovers. */
const REAPED_AT_ONCE = 500;

/**
 * In processes with the scheduler role, polls for due slots and for lost runs. The timers only say when to poll. The
 * clock and the ledger decide what is due, so a late, missed or doubled tick changes nothing.
 */
@Injectable()
export class SchedulerPoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Scheduler');
  private readonly owed = new OwedSlots();
  /** The running rounds, by name. */
  private readonly rounds = new Map<string, Promise<void>>();
  private stopping = false;

  constructor(
    private readonly timers: SchedulerRegistry,
    private readonly ledger: RunLedger,
    private readonly scheduler: Scheduler,
    private readonly runQueues: RunQueues,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly background: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.roles.includes('scheduler')) this.background.onBegin(() => this.begin());
  }

  private begin(): void {
    // Manual runs get lost, too, and must be recovered while the scheduler is switched off.
    this.every(REAP_INTERVAL_MS, 'reap', () => this.reap());
    if (this.config.schedulerEnabled) {
      this.every(this.config.schedulerPollSeconds * 1_000, 'poll', () => this.poll());
    }
  }

  /** Starts no more rounds, and waits for running ones. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const name of ['reap', 'poll']) {
      if (this.timers.doesExist('interval', name)) this.timers.deleteInterval(name);
    }
    await Promise.all(this.rounds.values());
  }

  /** One round: writes the due slots of all tenants, and enqueues the new runs. */
  async poll(): Promise<void> {
    const scheduled = new Set<string>();
    let after: string | null = null;
    do {
      const tenants = await this.ledger.tenantsAfter(after, TENANTS_AT_ONCE);
      for (const { id } of tenants) scheduled.add(id);
      await this.pollSome(tenants);
      after = tenants.length === TENANTS_AT_ONCE ? (tenants.at(-1)?.id ?? null) : null;
    } while (after !== null && !this.stopping);
    if (!this.stopping) this.owed.keepOnly(scheduled);
    await this.ledger.notePoll();
  }

  private async pollSome(tenants: readonly ScheduledTenant[]): Promise<void> {
    const now = this.clock.now();
    const selection = this.owed.select(tenants, now);
    // Read after the tenants' hours: includes every run that was written under earlier ones.
    const known = await this.ledger.slotRuns(runsToLookUp(selection.candidates));
    const runs = await this.ledger.insertOwed(withoutRun(selection.candidates, known, now));
    this.owed.settle(selection);
    if (runs.length === 0) return;
    this.logger.log({ event: 'slots_queued', runs: runs.length });
    const early = runs.filter(({ ahead_seconds }) => ahead_seconds > CLOCK_TOLERANCE_SECONDS);
    if (early.length > 0) this.logEarly(early);
    await this.scheduler.enqueue(runs);
  }

  /** Logs it because the slot is used: it will not run again when its time really comes. */
  private logEarly(early: readonly InsertedRun[]): void {
    const first = early.reduce((a, b) => (b.ahead_seconds > a.ahead_seconds ? b : a));
    const { tenant_id, job, slot, ahead_seconds } = first;
    this.logger.warn({
      event: 'slots_ahead_of_clock',
      runs: early.length,
      tenant_id,
      job,
      slot,
      ahead_seconds: Math.round(ahead_seconds),
    });
  }

  /** One round: enqueues runs whose lease has expired, and quarantines those that crashed too often. */
  async reap(): Promise<void> {
    for (const { tenant_id, run_id, job } of await this.ledger.quarantineLost(REAPED_AT_ONCE)) {
      this.logger.error({ event: 'run_quarantined', tenant_id, run_id, job, attempts: RUN_MAX_ATTEMPTS });
    }
    const paused = await this.runQueues.pausedJobs();
    const runs = await this.ledger.recoverLost(
      REAPED_AT_ONCE,
      SCHEDULED_JOBS.filter((job) => !paused.includes(job)),
    );
    if (runs.length === 0) return;
    const lost = runs.filter(({ postponed }) => !postponed);
    if (lost.length > 0) this.logger.warn({ event: 'runs_recovered', runs: lost.length });
    await this.scheduler.enqueue(runs);
  }

  /** Runs `round` now and every `ms`, never twice at the same time. */
  private every(ms: number, name: string, round: () => Promise<void>): void {
    const tick = () => {
      if (this.stopping || this.rounds.has(name)) return;
      const going = round()
        // The next round does what this one missed.
        .catch((error: unknown) => this.logger.warn({ event: 'round_failed', round: name, err: error }))
        .finally(() => this.rounds.delete(name));
      this.rounds.set(name, going);
    };
    this.timers.addInterval(name, setInterval(tick, ms));
    tick();
  }
}
