import { Inject, Injectable } from '@nestjs/common';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import { causeSql } from '../../platform/queues/cause.sql.js';
import { WORKER_ALIVE_SECONDS } from '../dispatch/admission.js';

/** The final states that say whether a channel works; suppressed and cancelled deliveries say nothing about it. */
export const OUTCOMES = ['sent', 'failed', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** How many deliveries of a channel ended in a state, in one interval. */
export interface OutcomeCount {
  channel: Channel;
  state: Outcome;
  /** The start of the interval. */
  at: Date;
  count: number;
  /** Of these, the ones that ended in the last hour and in the last 24 hours. */
  last_hour: number;
  last_day: number;
}

/** Failed deliveries of one channel with the same cause. */
export interface DeadLetters {
  channel: Channel;
  /** `expired`: it was not sent within its maximum age. Null: refused, or out of attempts. */
  reason: string | null;
  /** The answer of the provider, without addresses and numbers that differ from message to message. */
  cause: string;
  count: number;
  tenants: number;
  last_at: Date;
}

/** What metrics show of one channel. */
export interface SendingState {
  channel: Channel;
  /** Deliveries that failed for good in the last 24 hours, counted up to `MAX_DEAD_LETTERS`. */
  failed: number;
  /** Messages that the live workers can send at once. */
  concurrency: number;
}

const HOUR_MS = 60 * 60 * 1_000;
/** Counting stops here, for each tenant, channel and state. */
export const MAX_OUTCOMES = 100_000;
/** Failures read for each channel, newest first. */
export const MAX_DEAD_LETTERS = 10_000;
const MAX_CAUSES = 100;

/** How deliveries ended, of all tenants or of one: counts, without addresses or contents. */
@Injectable()
export class DeliveryOutcomes {
  constructor(
    private readonly database: SystemDatabase,
    private readonly tenants: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The counts of each interval of `stepMs` since `since`; intervals without a delivery are absent. */
  async series(since: Date, stepMs: number): Promise<OutcomeCount[]> {
    const now = this.clock.now().getTime();
    return this.database.query<OutcomeCount>(SERIES, [
      CHANNELS,
      OUTCOMES,
      since,
      stepMs / 1_000,
      new Date(now - HOUR_MS),
      new Date(now - 24 * HOUR_MS),
    ]);
  }

  /** Recent failures of each channel, and how much its live workers can send. Reads only their indexes. */
  async states(): Promise<SendingState[]> {
    return this.database.query<SendingState>(STATES, [
      CHANNELS,
      new Date(this.clock.now().getTime() - 24 * HOUR_MS),
      WORKER_ALIVE_SECONDS,
    ]);
  }

  /**
   * The causes of the failures since `since`, the most frequent first.
   * @param tenantId null: of all tenants
   */
  async deadLetters(since: Date, tenantId: string | null): Promise<DeadLetters[]> {
    if (tenantId === null) return this.database.query<DeadLetters>(DEAD_LETTERS, [CHANNELS, since]);
    return this.tenants
      .single(tenantId)
      .query<DeadLetters>(DEAD_LETTERS_OF_TENANT, [CHANNELS, since, tenantId]);
  }
}

// $1 channels, $2 states, $3 since, $4 the interval in seconds, $5 an hour ago, $6 a day ago.
// Steps from tenant to tenant through the index `deliveries_ended`: an index by time alone would cost every delivery.
export const SERIES = `
  SELECT c.name AS channel, s.name AS state,
         to_timestamp(floor(extract(epoch FROM d.ended_at) / $4::float8) * $4::float8) AS at,
         count(*) AS count,
         count(*) FILTER (WHERE d.ended_at > $5) AS last_hour,
         count(*) FILTER (WHERE d.ended_at > $6) AS last_day
  FROM tenants t
  CROSS JOIN unnest($1::text[]) AS c (name)
  CROSS JOIN unnest($2::text[]) AS s (name)
  CROSS JOIN LATERAL (
    SELECT ended_at FROM deliveries
    WHERE tenant_id = t.id AND channel = c.name AND state = s.name AND ended_at >= $3
    ORDER BY ended_at DESC LIMIT ${MAX_OUTCOMES}) d
  GROUP BY 1, 2, 3
  ORDER BY 3, 1, 2`;

const deadLetters = (condition: string) => `
  SELECT f.channel, f.reason, f.cause, count(*) AS count, count(DISTINCT f.tenant_id) AS tenants,
         max(f.ended_at) AS last_at
  FROM (
    SELECT d.channel, d.tenant_id, d.reason, d.ended_at,
           ${causeSql('d.error')} AS cause
    FROM unnest($1::text[]) AS c (name)
    CROSS JOIN LATERAL (
      SELECT channel, tenant_id, reason, ended_at, error FROM deliveries
      WHERE ${condition} AND channel = c.name AND state = 'failed' AND ended_at >= $2
      ORDER BY ended_at DESC LIMIT ${MAX_DEAD_LETTERS}) d) f
  GROUP BY f.channel, f.reason, f.cause
  ORDER BY count(*) DESC, max(f.ended_at) DESC, f.channel, f.cause LIMIT ${MAX_CAUSES}`;

// $1 channels, $2 since. Uses the index `deliveries_failed`.
export const DEAD_LETTERS = deadLetters('true');

// $1 channels, $2 since, $3 the tenant. Uses the index `deliveries_ended`.
const DEAD_LETTERS_OF_TENANT = deadLetters('tenant_id = $3');

// $1 channels, $2 since, $3 how long ago a live worker has sent its last heartbeat, in seconds
const STATES = `
  SELECT c.name AS channel, f.failed, w.concurrency
  FROM unnest($1::text[]) AS c (name)
  CROSS JOIN LATERAL (
    SELECT count(*) AS failed FROM (
      SELECT FROM deliveries WHERE channel = c.name AND state = 'failed' AND ended_at >= $2
      LIMIT ${MAX_DEAD_LETTERS}) d) f
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(concurrency), 0) AS concurrency FROM workers
    WHERE channel = c.name AND seen_at > now() - make_interval(secs => $3)) w`;
