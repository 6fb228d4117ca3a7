import { Inject, Injectable, Logger } from '@nestjs/common';
import type { QueueName } from '../../contracts/jobs.js';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { SystemTransaction } from '../../platform/database/transaction.js';
import { MAX_COUNTED_JOBS } from '../../platform/queues/job-view.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { WORKER_ALIVE_SECONDS } from '../dispatch/admission.js';
import { ChannelHealth, type ChannelState } from '../channel-health/channel-health.js';
import { channelOf, queueOf } from '../channels/channels.js';
import { CANCEL, REQUEUE_PAUSED } from '../transitions/acts.sql.js';
import { type MovedDead, REQUEUE_DEAD } from '../transitions/dead-letters.sql.js';
import { Hastening } from './hastening.js';
import { type OpenDeliveries, OpenDeliveriesReader } from './open-deliveries.js';

/** Rows that one statement changes: this keeps locks short. */
const BATCH = 2_000;
/** Rows left after this time are counted as `remaining`; the next request continues. */
const DEADLINE_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** The counts of one channel's deliveries. */
export interface DeliveryCounts extends Omit<OpenDeliveries, 'channel' | 'paused' | 'up'> {
  /** Deliveries that ended in the last 24 hours, by result. */
  sent_24h: number;
  failed_24h: number;
}

/** Sending processes with a recent heartbeat, and their total concurrency. */
export interface LivingWorkers {
  processes: number;
  concurrency: number;
}

export interface DeliveryPurge {
  cancelled: number;
  /** Not changed, because they are being sent. */
  still_sending: number;
  /** Still waiting: created after the purge began, or beyond its time limit. */
  remaining: number;
}

/**
 * The operators' actions on delivery queues. They run in PostgreSQL, where they survive the loss of Redis, and never
 * touch a message that is being sent. Locked rows are skipped: their holder moves them.
 */
@Injectable()
export class DeliveryQueues {
  private readonly logger = new Logger('Queues');

  constructor(
    private readonly database: SystemDatabase,
    private readonly open: OpenDeliveriesReader,
    private readonly wakeUps: WakeUps,
    private readonly health: ChannelHealth,
    private readonly hastening: Hastening,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Whether this queue carries deliveries. */
  carries(queue: QueueName): boolean {
    return CHANNELS.some((channel) => queueOf(channel) === queue);
  }

  /** @param most counting of ended deliveries stops here, over all tenants */
  async counts(
    queue: QueueName,
    most = MAX_COUNTED_JOBS,
  ): Promise<{
    paused: boolean;
    channel: ChannelState;
    postgres: DeliveryCounts;
    workers: LivingWorkers;
  }> {
    const channel = channelOf(queue);
    const since = new Date(this.clock.now().getTime() - DAY_MS);
    const [states, [found], [row]] = await Promise.all([
      this.health.states([channel]),
      this.open.read(null, channel),
      this.database.query<Pick<DeliveryCounts, 'sent_24h' | 'failed_24h'> & LivingWorkers>(
        LAST_DAY_AND_WORKERS,
        [channel, since, WORKER_ALIVE_SECONDS, most],
      ),
    ]);
    const health = states.get(channel);
    if (found === undefined || row === undefined || health === undefined)
      throw new Error(`the channel of ${queue} has no row`);
    const { paused, due, deferred, queued, sending, cursor_tenant_id, oldest_due_seconds: age } = found;
    const { processes, concurrency, ...ended } = row;
    const oldest_due_seconds = age === null ? null : Math.round(age);
    return {
      paused,
      channel: health,
      postgres: { due, deferred, queued, sending, ...ended, oldest_due_seconds, cursor_tenant_id },
      workers: { processes, concurrency },
    };
  }

  /**
   * Stops admission. Admitted messages that are not being sent yet return to `pending`, and nothing is counted; the
   * tokens of their Bull jobs become invalid.
   */
  async pause(queue: QueueName): Promise<{ returned: number; still_sending: number }> {
    const channel = channelOf(queue);
    return this.database.transaction(async (tx) => {
      // Wait for a round of the dispatcher; the next one finds the channel paused.
      await tx.execute(`UPDATE channels SET paused = true WHERE channel = $1`, [channel]);
      const returned = (await tx.query(REQUEUE_PAUSED, [channel, this.clock.now()])).length;
      return { returned, still_sending: await this.count(tx, SENDING, channel, null) };
    });
  }

  async resume(queue: QueueName): Promise<void> {
    const channel = channelOf(queue);
    await this.database.query(`UPDATE channels SET paused = false WHERE channel = $1`, [channel]);
    await this.health.probeNow(channel);
    this.wakeUps.send('dispatch.kick', { channel });
  }

  /** Cancels waiting deliveries, of all tenants or of one. */
  async purge(queue: QueueName, tenantId: string | null): Promise<DeliveryPurge> {
    const channel = channelOf(queue);
    const cancel = async (tx: SystemTransaction) =>
      (await tx.query(CANCEL, [channel, tenantId, this.clock.now(), BATCH])).length;
    const early = await inBatches(() => this.database.transaction(cancel));
    const result = await this.database.transaction(async (tx) => {
      // Deliveries that a round of the dispatcher had locked are queued by now.
      await tx.query(`SELECT FROM channels WHERE channel = $1 FOR UPDATE`, [channel]);
      const cancelled = early + (await cancel(tx));
      return {
        cancelled,
        still_sending: await this.count(tx, SENDING, channel, tenantId),
        remaining:
          (await this.count(tx, PENDING, channel, tenantId)) +
          (await this.count(tx, QUEUED, channel, tenantId)),
      };
    });
    this.wakeUps.send('dispatch.kick', { channel });
    this.logger.log({ event: 'deliveries_purged', channel, tenant_id: tenantId, ...result });
    return result;
  }

  /**
   * Resets the attempts of deliveries that failed in the last `days` days, and makes waiting retries due. Skips
   * deliveries without a recipient (the user was erased), and expired links to set a password.
   */
  async retry(queue: QueueName, days: number, tenantId: string | null): Promise<{ retried: number }> {
    const channel = channelOf(queue);
    const now = this.clock.now();
    const since = new Date(now.getTime() - days * DAY_MS);
    const choice = [tenantId, null, [channel], null, null, since, now, now, BATCH];
    const retried = await inBatches(() =>
      this.database.transaction(async (tx) => (await tx.one<MovedDead>(REQUEUE_DEAD, choice))?.moved ?? 0),
    );
    const hastened = await this.hastening.hasten(channel, tenantId);
    this.wakeUps.send('dispatch.kick', { channel });
    return { retried: retried + hastened };
  }

  private async count(
    tx: SystemTransaction,
    condition: string,
    channel: Channel,
    tenantId: string | null,
  ): Promise<number> {
    const row = await tx.one<{ count: number }>(
      `SELECT count(*) FROM deliveries
       WHERE channel = $1 AND ${condition} AND ($2::uuid IS NULL OR tenant_id = $2)`,
      [channel, tenantId],
    );
    return row?.count ?? 0;
  }
}

/** Each uses its own index. */
const PENDING = `state = 'pending'`;
const QUEUED = `state = 'queued'`;
const SENDING = `state = 'sending'`;

/** Repeats a statement until it finds no more rows or the time is over. @returns the total */
async function inBatches(batch: () => Promise<number>): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  let done = 0;
  for (;;) {
    const some = await batch();
    done += some;
    if (some === 0 || performance.now() > deadline) return done;
  }
}

// $1 channel, $2 a day ago, $3 seconds that a worker counts without a heartbeat, $4 the most that is counted
// Counts the same rows as the list of a queue's jobs. Uses the index `deliveries_ended` for each tenant, because of the
// inner LIMIT, and `deliveries_failed`.
const LAST_DAY_AND_WORKERS = `
  SELECT (SELECT count(*) FROM (
            SELECT FROM tenants t CROSS JOIN LATERAL (
              SELECT FROM deliveries
              WHERE tenant_id = t.id AND channel = $1 AND state = 'sent' AND ended_at >= $2 LIMIT $4) d
            LIMIT $4) sent) AS sent_24h,
         (SELECT count(*) FROM (
            SELECT FROM deliveries
            WHERE channel = $1 AND state = 'failed' AND ended_at >= $2 LIMIT $4) failed) AS failed_24h,
         w.processes, w.concurrency
  FROM (SELECT count(*) AS processes, coalesce(sum(concurrency), 0) AS concurrency
        FROM workers WHERE channel = $1 AND seen_at > now() - make_interval(secs => $3)) w`;
