import { Inject, Injectable } from '@nestjs/common';
import { CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import type { ChannelTotals, LimitsInForce, TenantStatistics } from './statistics.dto.js';

/** Counting stops here: it reads a bounded part of an index, however large the table. */
const MAX_COUNTED = 100_000;
const HOUR_MS = 60 * 60 * 1_000;

type Row = ChannelTotals &
  LimitsInForce & {
    channel: string;
    sent_last_hour: number;
    sent_last_day: number;
    failed_last_day: number;
    oldest_due_at: Date | null;
  };

/** E13: statistics of a tenant's deliveries. */
@Injectable()
export class TenantStatisticsReader {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async of(tenantId: string): Promise<TenantStatistics> {
    const at = this.clock.now();
    const { limitPerUserHour, limitPerUserDay, limitPerMinute } = this.config;
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<Row>(STATISTICS, [
        tx.tenant_id,
        CHANNELS,
        at,
        new Date(at.getTime() - HOUR_MS),
        new Date(at.getTime() - 24 * HOUR_MS),
        limitPerUserHour,
        limitPerUserDay,
      ]),
    );
    const [first] = rows;
    if (first === undefined) throw new Error('the tenant no longer exists');
    return {
      at,
      channels: Object.fromEntries(rows.map((row) => [row.channel, channelStatistics(row, at)])),
      limits: {
        per_user_per_hour: first.per_user_per_hour,
        per_user_per_day: first.per_user_per_day,
        global_per_minute: limitPerMinute,
      },
    };
  }
}

function channelStatistics(row: Row, at: Date): TenantStatistics['channels'][string] {
  const { pending, due, in_flight, sent, failed, suppressed, cancelled, unknown } = row;
  const { sent_last_hour, sent_last_day, failed_last_day, oldest_due_at } = row;
  const ended = sent_last_day + failed_last_day;
  return {
    totals: { pending, due, in_flight, sent, failed, suppressed, cancelled, unknown },
    sent_last_hour,
    sent_last_day,
    failed_last_day,
    success_rate: ended === 0 ? null : sent_last_day / ended,
    oldest_due_seconds:
      oldest_due_at === null ? null : Math.floor((at.getTime() - oldest_due_at.getTime()) / 1_000),
  };
}

/** A bounded count of the tenant's deliveries on the channel `c`. */
function counted(which: string, order = ''): string {
  return `(SELECT count(*) FROM (SELECT FROM deliveries d
    WHERE d.tenant_id = $1 AND d.channel = c.name AND ${which} ${order} LIMIT ${MAX_COUNTED}) counted)`;
}

/**
 * The same for deliveries that ended in this state, from an instant on; the order makes it use the index
 * `deliveries_ended`.
 */
function ended(state: string, since?: string): string {
  const when = since === undefined ? 'IS NOT NULL' : `> ${since}`;
  return counted(`d.state = '${state}' AND d.ended_at ${when}`, 'ORDER BY d.ended_at DESC');
}

/** The oldest due one, from the first entry of each half of the index `deliveries_pending`. */
function oldest(critical: string): string {
  return `(SELECT d.due_at FROM deliveries d
    WHERE d.tenant_id = $1 AND d.channel = c.name AND d.state = 'pending' AND ${critical} AND d.due_at <= $3
    ORDER BY d.due_at LIMIT 1)`;
}

/** While Redis is unavailable, deliveries alternate between `pending` and `queued`: they are still due. */
const OLDEST_IN_FLIGHT = `(SELECT min(due_at) FROM (
    SELECT d.due_at FROM deliveries d
    WHERE d.tenant_id = $1 AND d.channel = c.name AND d.state IN ('queued', 'sending')
      AND d.leads AND d.due_at <= $3 LIMIT ${MAX_COUNTED}) i)`;

// $1 tenant id, $2 channels, $3 now, $4 an hour and $5 a day ago, $6 and $7 the installation's limits
const STATISTICS = `
  SELECT c.name AS channel,
         ${counted("d.state = 'pending'")} AS pending,
         ${counted("d.state = 'pending' AND d.critical AND d.due_at <= $3")} +
           ${counted("d.state = 'pending' AND NOT d.critical AND d.due_at <= $3")} AS due,
         ${counted("d.state IN ('queued', 'sending')")} AS in_flight,
         ${['sent', 'failed', 'suppressed', 'cancelled', 'unknown'].map((state) => `${ended(state)} AS ${state}`).join(', ')},
         ${ended('sent', '$4')} AS sent_last_hour,
         ${ended('sent', '$5')} AS sent_last_day,
         ${ended('failed', '$5')} + ${ended('unknown', '$5')} AS failed_last_day,
         LEAST(${oldest('d.critical')}, ${oldest('NOT d.critical')}, ${OLDEST_IN_FLIGHT}) AS oldest_due_at,
         coalesce((t.settings -> 'limits' ->> 'per_user_per_hour')::integer, $6) AS per_user_per_hour,
         coalesce((t.settings -> 'limits' ->> 'per_user_per_day')::integer, $7) AS per_user_per_day
  FROM tenants t CROSS JOIN unnest($2::text[]) AS c (name)
  WHERE t.id = $1`;
