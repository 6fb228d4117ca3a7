import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { QueueName } from '../../contracts/jobs.js';
import { configuredChannels } from '../../delivery/channels/channels.js';
import { type OpenDeliveries, OpenDeliveriesReader } from '../../delivery/admin/open-deliveries.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { type QueueCounts, Queues } from '../../platform/queues/queues.js';

/** Readings are reused for this long, so that several scrapers cost as much as one. */
const GOOD_FOR_MS = 5_000;
/** Counting stops here: the exact number no longer matters, and a scrape must be quick. */
export const MAX_COUNTED = 100_000;
/** The time limit of a scrape for PostgreSQL and Redis. */
const DEADLINE_MS = 2_000;

/** The gauges that are read at each scrape instead of counted at each event. */
@Injectable()
export class Gauges implements OnModuleInit {
  private reading: Promise<void> | null = null;
  private readUntil = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly deliveries: OpenDeliveriesReader,
    private readonly queues: Queues,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    for (const channel of configuredChannels(this.config)) {
      this.metrics.set('vigie_dispatch_limit_per_minute', { channel }, this.config.limitPerMinute);
    }
  }

  /**
   * Resolves when the gauges are at most 5 s old. A source that does not answer within 2 s is absent, and reported as
   * down.
   */
  async refresh(): Promise<void> {
    if (performance.now() < this.readUntil) return;
    this.reading ??= this.read().finally(() => (this.reading = null));
    await this.reading;
  }

  private async read(): Promise<void> {
    const [open, counts, writable] = await Promise.all([
      withinDeadline(this.deliveries.read(MAX_COUNTED)),
      withinDeadline(this.queues.counts()),
      withinDeadline(this.queues.probe().then(() => true)),
    ]);
    this.showDeliveries(open ?? []);
    this.showQueues(Object.entries(counts ?? {}) as [QueueName, QueueCounts][]);
    this.metrics.set('vigie_source_up', { source: 'postgresql' }, Number(open !== null));
    this.metrics.set('vigie_source_up', { source: 'redis' }, Number(counts !== null && writable === true));
    this.readUntil = performance.now() + GOOD_FOR_MS;
  }

  private showDeliveries(open: readonly OpenDeliveries[]): void {
    this.metrics.replace(
      'vigie_deliveries',
      open.flatMap(({ channel, due, deferred, queued, sending }) =>
        Object.entries({ pending: due + deferred, queued, sending }).map(
          ([state, count]) => [{ channel, state }, count] as const,
        ),
      ),
    );
    this.metrics.replace(
      'vigie_oldest_due_delivery_seconds',
      open.map(({ channel, oldest_due_seconds }) => [{ channel }, oldest_due_seconds ?? 0] as const),
    );
    this.metrics.replace(
      'vigie_channel_paused',
      open.map(({ channel, paused }) => [{ channel }, Number(paused)] as const),
    );
    this.metrics.replace(
      'vigie_channel_up',
      open.map(({ channel, up }) => [{ channel }, Number(up)] as const),
    );
  }

  private showQueues(counts: readonly [QueueName, QueueCounts][]): void {
    const states = ['active', 'waiting', 'delayed'] as const;
    this.metrics.replace(
      'vigie_queue_jobs',
      counts.flatMap(([queue, held]) => states.map((state) => [{ queue, state }, held[state]] as const)),
    );
  }
}

/** Null if it fails or takes too long: a scrape reports the rest. */
function withinDeadline<Result>(work: Promise<Result>): Promise<Result | null> {
  return withTimeout(work, DEADLINE_MS, 'no answer').catch(() => null);
}
