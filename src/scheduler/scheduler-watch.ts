import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { BackgroundWork } from '../platform/queues/background-work.js';
import { RunLedger } from '../runs/run-ledger.js';

/** How often each process checks whether a scheduler has polled, in ms. */
export const LOOK_INTERVAL_MS = 10_000;
/**
 * The scheduler is silent after this long without a poll, in ms. Longer than two polls can be apart (60 s and the
 * round itself); with two looks it stays below 2 minutes.
 */
export const SILENT_AFTER_MS = 95_000;
/** After a longer gap between two looks, this process was suspended or without PostgreSQL itself. */
const MAX_GAP_MS = 3 * LOOK_INTERVAL_MS;

/** off: SCHEDULER_ENABLED is false. silent: no process polls, so no job starts on its schedule. */
export const SCHEDULER_STATES = ['polling', 'silent', 'off'] as const;

/** Whether schedulers work, as this process sees it. */
export interface SchedulerSight {
  state: (typeof SCHEDULER_STATES)[number];
  /** The newest poll of any process, by its clock; null: none yet. */
  last_poll_at: Date | null;
}

/**
 * Notices in every process, whatever its roles, that no scheduler polls any more: a missing scheduler cannot report
 * itself. Compares the row of `scheduler_polls` with its previous value, not with the time of day, because the clocks
 * of two machines may differ.
 */
@Injectable()
export class SchedulerWatch implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('Scheduler');
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;
  private lastPoll: Date | null = null;
  private silent = false;
  /** Instants of this process's clock, in ms. */
  private changedAt = 0;
  private lookedAt = -Infinity;

  constructor(
    private readonly ledger: RunLedger,
    private readonly metrics: Metrics,
    private readonly background: BackgroundWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (!this.config.schedulerEnabled) return;
    this.background.onBegin(() => {
      const tick = () => (this.looking ??= this.look().finally(() => (this.looking = null)));
      this.timer = setInterval(() => void tick(), LOOK_INTERVAL_MS);
      void tick();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  current(): SchedulerSight {
    const state = !this.config.schedulerEnabled ? 'off' : this.silent ? 'silent' : 'polling';
    return { state, last_poll_at: this.lastPoll };
  }

  /** Reads the last poll. Throws nothing: while PostgreSQL does not answer, `/readyz` says so. */
  async look(): Promise<void> {
    try {
      this.compare(await this.ledger.lastPoll(), this.clock.now().getTime());
    } catch (error) {
      this.logger.debug({ event: 'scheduler_not_seen', err: error });
    }
  }

  private compare(polledAt: Date | null, now: number): void {
    const polled = polledAt !== null && polledAt.getTime() !== this.lastPoll?.getTime();
    const resumed = Math.abs(now - this.lookedAt) > MAX_GAP_MS;
    // The first look counts as a change: a scheduler that starts together with this process has the time to poll.
    if (polled || resumed) this.changedAt = now;
    this.lookedAt = now;
    this.lastPoll = polledAt;
    if (this.silent && polled) {
      this.silent = false;
      this.logger.warn({ event: 'scheduler_polls_again', last_poll_at: polledAt });
    } else if (!this.silent && now - this.changedAt > SILENT_AFTER_MS) {
      this.silent = true;
      this.logger.error({ event: 'scheduler_silent', last_poll_at: polledAt });
    }
    this.metrics.set('vigie_scheduler_up', {}, Number(!this.silent));
    if (polledAt === null) return;
    this.metrics.set('vigie_scheduler_last_poll_timestamp_seconds', {}, polledAt.getTime() / 1_000);
  }
}
