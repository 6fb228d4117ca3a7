import { Inject, Injectable } from '@nestjs/common';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { limitsOf } from '../../delivery/dispatch/limits.js';
import { MinuteLimit } from '../../delivery/dispatch/minute-limit.js';
import type {
  ChannelQuota,
  ChannelTotals,
  LimitsInForce,
  LimitUsage,
  TenantStatistics,
} from './statistics.dto.js';

/** Counting stops here: it reads a bounded part of an index, however large the table. */
const MAX_COUNTED = 100_000;
const HOUR_MS = 60 * 60 * 1_000;

type Row = ChannelTotals &
  LimitsInForce & {
    channel: Channel;
    tenant_used_hour: number;
    tenant_used_day: number;
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
    private readonly minute: MinuteLimit,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @param acrossTenants whether the reader may see what all tenants send together. */
  async of(tenantId: string, { acrossTenants }: { acrossTenants: boolean }): Promise<TenantStatistics> {
    const at = this.clock.now();
    const installation = limitsOf(this.config);
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<Row>(STATISTICS, [
        tx.tenant_id,
        CHANNELS,
        at,
        new Date(at.getTime() - HOUR_MS),
        new Date(at.getTime() - 24 * HOUR_MS),
        installation.per_user_per_hour,
        installation.per_user_per_day,
        installation.per_tenant_per_hour,
        installation.per_tenant_per_day,
      ]),
    );
    const [first] = rows;
    if (first === undefined) throw new Error('the tenant no longer exists');
    const quotas = await Promise.all(
      rows.map(async (row) => [row.channel, await this.quota(row, acrossTenants)] as const),
    );
    return {
      at,
      quota: Object.fromEntries(quotas),
      channels: Object.fromEntries(rows.map((row) => [row.channel, channelStatistics(row, at)])),
      limits: {
        per_user_per_hour: first.per_user_per_hour,
        per_user_per_day: first.per_user_per_day,
        per_tenant_per_hour: first.per_tenant_per_hour,
        per_tenant_per_day: first.per_tenant_per_day,
        global_per_minute: this.config.limitPerMinute,
      },
    };
  }

  private async quota(row: Row, acrossTenants: boolean): Promise<ChannelQuota> {
    const limit = this.minute.limitOf(row.channel);
    const used = acrossTenants ? (await this.minute.current(row.channel)).used : null;
    return {
      tenant_hour: usage(row.per_tenant_per_hour, row.tenant_used_hour),
      tenant_day: usage(row.per_tenant_per_day, row.tenant_used_day),
      minute: usage(limit, used),
    };
  }
}

function usage(limit: number, used: number | null): LimitUsage {
  return { limit, used, left: limit === 0 || used === null ? null : Math.max(limit - used, 0) };
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

/** Messages of the tenant that count for its limit, up to the limit. */
function admitted(since: string, limit: string): string {
  return `(SELECT count(*) FROM (SELECT FROM deliveries d
    WHERE d.channel = c.name AND d.tenant_id = $1 AND d.leads AND d.admitted_at > ${since} LIMIT ${limit}) counted)`;
}

const PER_HOUR = `coalesce(t.limit_per_hour, $8::integer)`;
const PER_DAY = `coalesce(t.limit_per_day, $9::integer)`;

// $1 tenant id, $2 channels, $3 now, $4 an hour and $5 a day ago, $6 to $9 the installation's limits per user and tenant
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
         coalesce((t.settings -> 'limits' ->> 'per_user_per_day')::integer, $7) AS per_user_per_day,
         ${PER_HOUR} AS per_tenant_per_hour, ${admitted('$4', PER_HOUR)} AS tenant_used_hour,
         ${PER_DAY} AS per_tenant_per_day, ${admitted('$5', PER_DAY)} AS tenant_used_day
  FROM tenants t CROSS JOIN unnest($2::text[]) AS c (name)
  WHERE t.id = $1`;
