import { Inject, Injectable } from '@nestjs/common';
import { CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { DailyStatistics, DayStatistics } from './daily-statistics.dto.js';

/** Reading stops here; `complete` is then false. */
const MAX_READ = 200_000;

type Row = DayStatistics & { read: number };

/** The outcomes of a tenant's deliveries by day, channel and kind, and how long they took. */
@Injectable()
export class DailyStatisticsReader {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @param days back, today in the tenant's zone included */
  async of(tenantId: string, days: number): Promise<DailyStatistics> {
    const { since, rows } = await this.database.tenant(tenantId, async (tx) => {
      const first = await tx.one<{ day: string; at: Date }>(FIRST_DAY, [
        tx.tenant_id,
        this.clock.now(),
        days,
      ]);
      if (first === null) throw new Error('the tenant no longer exists');
      const read = await tx.query<Row>(BY_DAY, [tx.tenant_id, CHANNELS, first.at]);
      return { since: first.day, rows: read };
    });
    const read = rows.reduce((sum, row) => sum + row.read, 0);
    return {
      since,
      data: rows.map(({ read: _read, ...day }) => day),
      complete: read < MAX_READ,
    };
  }
}

// $1 tenant id, $2 now, $3 days
const FIRST_DAY = `
  SELECT to_char(first, 'YYYY-MM-DD') AS day, first AT TIME ZONE time_zone AS at
  FROM (SELECT time_zone, date_trunc('day', $2::timestamptz AT TIME ZONE time_zone) - make_interval(days => $3 - 1) AS first
        FROM tenants WHERE id = $1) t`;

const percentile = (share: number) => `
  percentile_cont(${share}) WITHIN GROUP (ORDER BY extract(epoch FROM d.sent_at - d.due_since))
    FILTER (WHERE d.state = 'sent')`;

// $1 tenant id, $2 channels, $3 the first instant. Index: deliveries_ended
const BY_DAY = `
  SELECT to_char(d.ended_at AT TIME ZONE t.time_zone, 'YYYY-MM-DD') AS day, d.channel, n.kind,
         count(*) FILTER (WHERE d.state = 'sent') AS sent,
         count(*) FILTER (WHERE d.state = 'failed') AS failed,
         count(*) FILTER (WHERE d.state = 'unknown') AS unknown,
         count(*) FILTER (WHERE d.state IN ('suppressed', 'cancelled')) AS not_sent,
         round(${percentile(0.5)}::numeric, 3)::float8 AS p50_seconds,
         round(${percentile(0.95)}::numeric, 3)::float8 AS p95_seconds,
         count(*) AS read
  FROM (SELECT * FROM deliveries
        WHERE tenant_id = $1 AND channel = ANY ($2::text[])
          AND state IN ('sent', 'failed', 'suppressed', 'cancelled', 'unknown') AND ended_at >= $3
        LIMIT ${MAX_READ}) d
  JOIN notifications n ON n.tenant_id = d.tenant_id AND n.id = d.notification_id
  JOIN tenants t ON t.id = d.tenant_id
  GROUP BY day, d.channel, n.kind
  ORDER BY day DESC, d.channel, n.kind`;
