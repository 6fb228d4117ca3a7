import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { Metrics, secondsSince } from '../../platform/metrics/metrics.js';
import { Queues } from '../../platform/queues/queues.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { Admission } from './admission.js';
import { activeChannels, CHANNEL_TRAITS } from '../channels/channels.js';
import { decide } from './decision.js';
import { Wakeable } from './wakeable.js';

/** What one round did, in messages. */
export interface Round {
  admitted: number;
  deferred: number;
}

/**
 * Admits due deliveries into Bull, in fair turns over tenants, as many as the living workers can take. A round
 * admits and commits, then enqueues: what Redis does not take comes back when its lease runs out.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly loops: { wake: Wakeable; ended: Promise<void> }[] = [];
  private stopping = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly database: SystemDatabase,
    private readonly admission: Admission,
    private readonly queues: Queues,
    private readonly wakeUps: WakeUps,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.roles.includes('scheduler')) return;
    for (const channel of activeChannels(this.config)) {
      const wake = new Wakeable();
      this.wakeUps.on('dispatch.kick', (kick) => {
        if (kick.channel === channel) wake.wake();
      });
      this.loops.push({ wake, ended: this.loop(channel, wake) });
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const { wake } of this.loops) wake.wake();
    await Promise.all(this.loops.map(({ ended }) => ended));
  }

  /** Rounds follow each other while there is something to admit; else the next waits for a kick. */
  private async loop(channel: Channel, wake: Wakeable): Promise<void> {
    while (!this.stopping) {
      try {
        const { admitted, deferred } = await this.measured(channel);
        if (admitted + deferred > 0) continue;
      } catch (error) {
        this.metrics.count('vigie_dispatch_failures_total', { channel });
        this.logger.error({ event: 'dispatch_failed', channel, err: error });
      }
      await wake.sleep(this.config.dispatchIntervalSeconds * 1_000);
    }
  }

  private async measured(channel: Channel): Promise<Round> {
    const began = performance.now();
    const round = await this.round(channel);
    this.metrics.observe('vigie_dispatch_round_duration_seconds', { channel }, secondsSince(began));
    this.metrics.count('vigie_dispatch_admitted_total', { channel }, round.admitted);
    this.metrics.count('vigie_dispatch_deferred_total', { channel }, round.deferred);
    return round;
  }

  /** One round on one channel: at most DISPATCH_BATCH_SIZE messages, each admitted or deferred. */
  async round(channel: Channel): Promise<Round> {
    const now = this.clock.now();
    const { jobs, deferred } = await this.database.transaction(async (tx) => {
      const turn = await this.admission.begin(tx, channel);
      if (turn === null) return { jobs: [], deferred: 0 };
      const window = await this.admission.window(tx, channel);
      if (window.free < window.enough) return { jobs: [], deferred: 0 };
      const free = Math.min(
        window.free,
        await this.minuteBudget(tx, channel, now),
        this.config.dispatchBatchSize,
      );
      if (free <= 0) return { jobs: [], deferred: 0 };

      const candidates = await this.admission.candidates(
        tx,
        channel,
        now,
        turn.cursor_tenant_id,
        { free, whole: window.whole },
        { per_user_per_hour: this.config.limitPerUserHour, per_user_per_day: this.config.limitPerUserDay },
      );
      const messages = await this.admission.gather(tx, channel, candidates, now);
      const { chosen, deferrals, over } = decide(messages, now, this.logger);
      const jobs = await this.admission.admit(tx, chosen, now);
      await this.admission.defer(tx, deferrals, now);
      await this.admission.deferOverLimit(tx, channel, over, now);
      const last = candidates.at(-1);
      if (last !== undefined) await this.admission.moveCursor(tx, channel, last.tenant_id);
      return { jobs, deferred: deferrals.length + over.length };
    });
    await this.enqueue(channel, jobs);
    return { admitted: jobs.length, deferred };
  }

  private async minuteBudget(
    tx: Parameters<Admission['window']>[0],
    channel: Channel,
    now: Date,
  ): Promise<number> {
    if (this.config.limitPerMinute === 0) return Infinity;
    await this.admission.lockMinute(tx, channel);
    return this.config.limitPerMinute - (await this.admission.admittedLastMinute(tx, channel, now));
  }

  private async enqueue(channel: Channel, jobs: readonly DeliveryJob[]): Promise<void> {
    try {
      await this.queues.enqueue(
        CHANNEL_TRAITS[channel].job,
        jobs.map((job) => ({ id: job.lease_token, payload: job })),
      );
    } catch (error) {
      this.logger.warn({ event: 'enqueue_failed', channel, jobs: jobs.length, err: error });
    }
  }
}
