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
import { RUN_MAX_ATTEMPTS } from '../runs/run-handlers.js';
import { OwedSlots } from './owed-slots.js';
import { RunLedger } from '../runs/run-ledger.js';
import { RunQueues } from '../runs/run-queues.js';
import { Scheduler } from './scheduler.service.js';

/** Tenants that one statement looks at. */
const TENANTS_AT_ONCE = 1_000;
const REAP_EVERY_MS = 5_000;
/** Runs that one round of the reaper brings back. */
const REAPED_AT_ONCE = 500;

/**
 * In processes with the scheduler role, looks again and again for slots that are owed and for runs that were
 * lost. The timers only say when to look: what is due is decided by the clock and the ledger, so a late, missed
 * or doubled tick changes nothing.
 */
@Injectable()
export class SchedulerPoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Scheduler');
  private readonly owed = new OwedSlots();
  /** The rounds that are going on, by name. */
  private readonly rounds = new Map<string, Promise<void>>();
  private stopping = false;

  constructor(
    private readonly timers: SchedulerRegistry,
    private readonly ledger: RunLedger,
    private readonly scheduler: Scheduler,
    private readonly runQueues: RunQueues,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.roles.includes('scheduler')) return;
    // Switched off, runs by hand still get lost and must come back.
    this.every(REAP_EVERY_MS, 'reap', () => this.reap());
    if (this.config.schedulerEnabled) {
      this.every(this.config.schedulerPollSeconds * 1_000, 'poll', () => this.poll());
    }
  }

  /** Begins no more rounds, and waits for those that have begun. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const name of ['reap', 'poll']) {
      if (this.timers.doesExist('interval', name)) this.timers.deleteInterval(name);
    }
    await Promise.all(this.rounds.values());
  }

  /** One round: writes down what is owed to all tenants, and enqueues what was new. */
  async poll(): Promise<void> {
    const scheduled = new Set<string>();
    let after: string | null = null;
    do {
      const tenants = await this.ledger.tenantsAfter(after, TENANTS_AT_ONCE);
      for (const { id } of tenants) scheduled.add(id);
      const look = this.owed.look(tenants, this.clock.now());
      const runs = await this.ledger.insertOwed(look.owed);
      this.owed.settle(look);
      if (runs.length > 0) {
        this.logger.log({ event: 'slots_queued', runs: runs.length });
        await this.scheduler.enqueue(runs);
      }
      after = tenants.length === TENANTS_AT_ONCE ? (tenants.at(-1)?.id ?? null) : null;
    } while (after !== null && !this.stopping);
    if (!this.stopping) this.owed.keepOnly(scheduled);
    await this.ledger.notePoll();
  }

  /** One round: brings back runs whose lease has passed, and ends those that it happened to too often. */
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
    this.logger.warn({ event: 'runs_recovered', runs: runs.length });
    await this.scheduler.enqueue(runs);
  }

  /** Does `round` now and every `ms`, never twice at the same time. */
  private every(ms: number, name: string, round: () => Promise<void>): void {
    const tick = () => {
      if (this.stopping || this.rounds.has(name)) return;
      const going = round()
        // The next round sees what this one missed.
        .catch((error: unknown) => this.logger.warn({ event: 'round_failed', round: name, err: error }))
        .finally(() => this.rounds.delete(name));
      this.rounds.set(name, going);
    };
    this.timers.addInterval(name, setInterval(tick, ms));
    tick();
  }
}
