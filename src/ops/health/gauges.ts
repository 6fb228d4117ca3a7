import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { QueueName } from '../../contracts/jobs.js';
import { configuredChannels } from '../../delivery/channels/channels.js';
import { type OpenDeliveries, OpenDeliveriesReader } from '../../delivery/admin/open-deliveries.js';
import { DeliveryOutcomes, type SendingState } from '../../delivery/admin/delivery-outcomes.js';
import { MinuteLimit } from '../../delivery/dispatch/minute-limit.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import { Metrics, secondsSince } from '../../platform/metrics/metrics.js';
import { type QueueCounts, Queues } from '../../platform/queues/queues.js';
import { VERSION } from '../../platform/version.js';
import { type OpenRuns, RunQueues } from '../../runs/run-queues.js';

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
    private readonly minute: MinuteLimit,
    private readonly outcomes: DeliveryOutcomes,
    private readonly runs: RunQueues,
    private readonly queues: Queues,
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics.set('vigie_info', { version: VERSION }, 1);
    for (const channel of configuredChannels(this.config)) {
      this.metrics.set('vigie_dispatch_limit_per_minute', { channel }, this.minute.limitOf(channel));
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
    // Before the readings, which take connections themselves.
    this.showPools();
    const limited = configuredChannels(this.config).filter((channel) => this.minute.limitOf(channel) > 0);
    const [open, states, runs, counts, writable, used] = await Promise.all([
      withinDeadline(this.timed('postgresql', this.deliveries.read(MAX_COUNTED))),
      withinDeadline(this.outcomes.states()),
      withinDeadline(this.runs.openRuns(MAX_COUNTED)),
      withinDeadline(this.queues.counts()),
      withinDeadline(this.timed('redis', this.queues.probe()).then(() => true)),
      withinDeadline(
        Promise.all(
          limited.map(async (channel) => [{ channel }, (await this.minute.current(channel)).used] as const),
        ),
      ),
    ]);
    this.metrics.replace('vigie_dispatch_used_last_minute', used ?? []);
    this.showDeliveries(open ?? []);
    this.showSending(states ?? []);
    this.showRuns(runs ?? []);
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

  private showSending(states: readonly SendingState[]): void {
    const ofChannel = (read: (state: SendingState) => number) =>
      states.map((state) => [{ channel: state.channel }, read(state)] as const);
    this.metrics.replace(
      'vigie_dead_letters',
      ofChannel(({ failed }) => failed),
    );
    this.metrics.replace(
      'vigie_worker_concurrency',
      ofChannel(({ concurrency }) => concurrency),
    );
  }

  private showRuns(runs: readonly OpenRuns[]): void {
    this.metrics.replace(
      'vigie_runs_open',
      runs.flatMap(({ job, queued, running }) => [
        [{ job, state: 'queued' }, queued] as const,
        [{ job, state: 'running' }, running] as const,
      ]),
    );
    this.metrics.replace(
      'vigie_oldest_due_run_seconds',
      runs.map(({ job, oldest_due_seconds }) => [{ job }, oldest_due_seconds ?? 0] as const),
    );
  }

  private showPools(): void {
    const pools = { app: this.database.connections(), system: this.system.connections() };
    for (const [pool, usage] of Object.entries(pools)) {
      for (const [state, count] of Object.entries<number>({ ...usage })) {
        this.metrics.set('vigie_database_connections', { pool, state }, count);
      }
    }
  }

  private async timed<Result>(source: string, reading: Promise<Result>): Promise<Result> {
    const began = performance.now();
    const result = await reading;
    this.metrics.set('vigie_source_response_seconds', { source }, secondsSince(began));
    return result;
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
