import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { SystemDatabase } from '../platform/database/database.js';

/** A count stops here: beyond it nobody needs to know how many more, and counting them takes long. */
export const MOST_COUNTED = 100_000;

/** What waits and what is under way on one channel, all tenants together. */
export interface OpenDeliveries {
  channel: string;
  paused: boolean;
  /** Up to MOST_COUNTED, like the other two. */
  pending: number;
  queued: number;
  sending: number;
  /** How long ago the one that waits longest could have left, in seconds; 0 when none waits. */
  oldest_due_seconds: number;
}

/** Looks at the deliveries that have not ended. */
@Injectable()
export class OpenDeliveriesReader {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Every channel. Reads the partial indexes of what has not ended only, and each up to MOST_COUNTED rows; the
   * oldest is found by hopping from tenant to tenant. Suspended tenants' do not count as due: they are to wait.
   */
  async read(): Promise<OpenDeliveries[]> {
    return this.database.query<OpenDeliveries>(OPEN_DELIVERIES, [this.clock.now(), MOST_COUNTED]);
  }
}

const OPEN_DELIVERIES = `
  WITH RECURSIVE backlog (channel, tenant_id) AS (
    SELECT c.channel, (SELECT d.tenant_id FROM deliveries d
                       WHERE d.channel = c.channel AND d.state = 'pending' ORDER BY d.tenant_id LIMIT 1)
    FROM channels c
    UNION ALL
    SELECT b.channel, (SELECT d.tenant_id FROM deliveries d
                       WHERE d.channel = b.channel AND d.state = 'pending' AND d.tenant_id > b.tenant_id
                       ORDER BY d.tenant_id LIMIT 1)
    FROM backlog b WHERE b.tenant_id IS NOT NULL
  ),
  oldest AS (
    SELECT b.channel, min(d.due_at) AS due_at
    FROM backlog b
    JOIN tenants t ON t.id = b.tenant_id AND t.suspended_at IS NULL
    CROSS JOIN (VALUES (true), (false)) AS c (critical)
    CROSS JOIN LATERAL (
      SELECT due_at FROM deliveries
      WHERE channel = b.channel AND tenant_id = b.tenant_id AND state = 'pending' AND critical = c.critical
      ORDER BY due_at LIMIT 1) d
    WHERE d.due_at <= $1
    GROUP BY b.channel
  )
  SELECT c.channel, c.paused,
         (SELECT count(*) FROM (SELECT FROM deliveries d
          WHERE d.channel = c.channel AND d.state = 'pending' LIMIT $2) p) AS pending,
         coalesce(f.queued, 0) AS queued, coalesce(f.sending, 0) AS sending,
         coalesce(extract(epoch FROM $1::timestamptz - o.due_at), 0)::double precision AS oldest_due_seconds
  FROM channels c
  LEFT JOIN oldest o ON o.channel = c.channel
  LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'sending') AS sending
    FROM (SELECT state FROM deliveries d
          WHERE d.channel = c.channel AND d.state IN ('queued', 'sending') LIMIT $2) i) f ON true
  ORDER BY c.channel`;
