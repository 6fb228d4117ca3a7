import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import pLimit from 'p-limit';
import type { DeliveryJob } from '../../contracts/jobs.js';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { SystemTransaction } from '../../platform/database/transaction.js';
import { Metrics, secondsSince } from '../../platform/metrics/metrics.js';
import { BackgroundWork } from '../../platform/queues/background-work.js';
import { Queues } from '../../platform/queues/queues.js';
import { RedisRefusal } from '../../platform/redis/refusals.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { roomOfAddresses, UNBOUNDED } from './address-room.js';
import { Admission, type Message, shareOfTenant } from './admission.js';
import { activeChannels, CHANNEL_TRAITS } from '../channels/channels.js';
import { ChannelHealth, type Gate } from '../channel-health/channel-health.js';
import { decide, withinMinute } from './decision.js';
import { Deferring } from './deferring.js';
import { limitsOf } from './limits.js';
import { MinuteLimit } from './minute-limit.js';
import { Wakeable } from './wakeable.js';

/** The result of a round, in messages. */
export interface Round {
  admitted: number;
  deferred: number;
  /** The next round is due after this many ms at most. */
  wait_ms?: number | undefined;
}

/** The decisions of a round's transaction. */
interface Decided {
  jobs: DeliveryJob[];
  deferred: number;
  /** The channel is down. */
  down: boolean;
  wait_ms?: number | undefined;
  /** Starts a connection test. */
  test?: () => void;
}

/** How soon a round is tried again without a connection to Redis, in ms. */
const DISCONNECTED_WAIT_MS = 500;

/** The gate of a channel whose addresses have their own health. */
const OPEN: Gate = { room: 'all', probe: false, wait_ms: null };

const NOTHING: Decided = { jobs: [], deferred: 0, down: false };

/**
 * Admits due deliveries into Bull, in fair turns over tenants, as many as the live workers can take. A round commits
 * its admissions, then enqueues them: jobs that Redis refuses return when their lease expires.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly loops: { wake: Wakeable; ended: Promise<void> }[] = [];
  private stopping = false;
  /**
   * Limits rounds to half of the pool's connections. A round holds one while it waits for the lock of its channel, and
   * the direct send that has the lock needs another one: without the limit, they could block each other.
   */
  private readonly roundLimit: ReturnType<typeof pLimit>;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly database: SystemDatabase,
    private readonly admission: Admission,
    private readonly deferring: Deferring,
    private readonly minute: MinuteLimit,
    private readonly health: ChannelHealth,
    private readonly queues: Queues,
    private readonly wakeUps: WakeUps,
    private readonly metrics: Metrics,
    private readonly background: BackgroundWork,
  ) {
    this.roundLimit = pLimit(Math.floor(config.databasePoolSize / 2));
  }

  onApplicationBootstrap(): void {
    if (this.config.roles.includes('scheduler')) this.background.onBegin(() => this.begin());
  }

  private begin(): void {
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

  /** Repeats rounds while there is something to admit; otherwise waits for a kick. */
  private async loop(channel: Channel, wake: Wakeable): Promise<void> {
    while (!this.stopping) {
      let wait = this.config.dispatchIntervalSeconds * 1_000;
      try {
        const { admitted, deferred, wait_ms = Infinity } = await this.measured(channel);
        if (admitted + deferred > 0) continue;
        wait = Math.min(wait, wait_ms);
      } catch (error) {
        this.metrics.count('vigie_dispatch_failures_total', { channel });
        this.logger.error({ event: 'dispatch_failed', channel, err: error });
      }
      await wake.sleep(wait);
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

  /**
   * One round on one channel: at most DISPATCH_BATCH_SIZE messages, each admitted or deferred. None while the connection
   * to Redis is lost: admitted messages would then wait for their leases to expire.
   */
  async round(channel: Channel): Promise<Round> {
    if (!(await this.queues.isConnected(CHANNEL_TRAITS[channel].job)))
      return { admitted: 0, deferred: 0, wait_ms: DISCONNECTED_WAIT_MS };
    const { jobs, deferred, wait_ms, test, down } = await this.roundLimit(() => this.decided(channel));
    test?.();
    await this.enqueue(channel, jobs);
    if (down) await this.health.expire(channel);
    return { admitted: jobs.length, deferred, wait_ms };
  }

  private async decided(channel: Channel): Promise<Decided> {
    const now = this.clock.now();
    return this.database.transaction(async (tx): Promise<Decided> => {
      const turn = await this.admission.begin(tx, channel);
      if (turn === null) return NOTHING;
      const { holds, addressHealth } = CHANNEL_TRAITS[channel];
      const gate = addressHealth === null ? await this.health.gate(tx, channel) : OPEN;
      const nothing = { ...NOTHING, down: gate.probe || gate.wait_ms !== null };
      if (gate.room === 'none') return { ...nothing, wait_ms: gate.wait_ms ?? undefined };
      const window = await this.admission.window(tx, channel);
      const idle = window.free === window.whole;
      const one = gate.room === 'one' && (gate.probe || idle);
      if (gate.room === 'one' ? !one : window.free < window.slots) return nothing;
      const free = Math.min(one ? Math.min(window.whole, 1) : window.free, this.config.dispatchBatchSize);
      if (free <= 0) return nothing;

      const minute = await this.minute.usage(tx, channel, now);
      const room =
        addressHealth === null
          ? UNBOUNDED
          : await roomOfAddresses(tx, channel, addressHealth, window.slots, now);
      const share = shareOfTenant(window, addressHealth);
      const read = (which: 'all' | 'critical') =>
        this.admission.candidates(
          tx,
          channel,
          now,
          turn.cursor_tenant_id,
          { free, share, full: room.full },
          limitsOf(this.config),
          which,
        );
      // Without room in this minute, others may not take the turns of critical ones.
      const critical = minute.left > 0 ? [] : await read('critical');
      const candidates = critical.length > 0 ? critical : await read('all');
      const gathered = await this.admission.gather(tx, channel, candidates, now);
      const messages = one ? gathered.slice(0, 1) : room.within(gathered);
      const { chosen, deferrals, over } = decide(messages, now, this.logger, holds);
      const { within, over: held } = withinMinute(chosen, minute.left);
      const jobs = await this.admission.admit(tx, within, now);
      await this.deferring.defer(tx, deferrals, now);
      await this.deferring.deferOverLimit(tx, channel, over, now);
      const wait_ms = await this.hold(tx, channel, held, now);
      const last = held.length === 0 ? candidates.at(-1) : within.at(-1)?.lead;
      if (last !== undefined) await this.admission.moveCursor(tx, channel, last.tenant_id);
      const decided = { ...nothing, jobs, deferred: deferrals.length + over.length, wait_ms };
      if (!gate.probe || decided.deferred > 0) return decided;
      const [probe] = jobs;
      if (probe === undefined) return { ...decided, test: await this.health.probeByTest(tx, channel) };
      await this.health.probeBy(tx, channel, probe.lease_token);
      return decided;
    });
  }

  /** Records why messages wait. @returns how long the limit per minute has no room, in ms; undefined: nothing waits. */
  private async hold(
    tx: SystemTransaction,
    channel: Channel,
    held: readonly Message[],
    now: Date,
  ): Promise<number | undefined> {
    if (held.length === 0) return undefined;
    const { opens_at } = await this.minute.usage(tx, channel, now);
    const until = opens_at ?? now;
    await this.deferring.hold(tx, held, until, now);
    return Math.max(until.getTime() - now.getTime(), 0);
  }

  private async enqueue(channel: Channel, jobs: readonly DeliveryJob[]): Promise<void> {
    try {
      await this.queues.enqueue(
        CHANNEL_TRAITS[channel].job,
        jobs.map((job) => ({ id: job.lease_token, payload: job })),
      );
    } catch (error) {
      if (error instanceof RedisRefusal) return;
      this.logger.warn({ event: 'enqueue_failed', channel, jobs: jobs.length, err: error });
    }
  }
}
