import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';

/** The waiting and in-flight deliveries of one channel, of all tenants. */
export interface OpenDeliveries {
  channel: string;
  paused: boolean;
  /** Whether it works, as far as is known. */
  up: boolean;
  /** The dispatcher continues after this tenant. */
  cursor_tenant_id: string | null;
  /** Pending and due. */
  due: number;
  /** Pending, and deferred by hours or limits, or waiting for a retry. */
  deferred: number;
  queued: number;
  sending: number;
  /**
   * How long ago the oldest due delivery was due, in seconds; null if none is. Includes those that are queued or being
   * sent: while Redis is unavailable, deliveries alternate between `pending` and `queued`.
   */
  oldest_due_seconds: number | null;
}

/** Reads the deliveries that are not finished. */
@Injectable()
export class OpenDeliveriesReader {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Reads every channel, or one. Uses only the partial indexes of unfinished deliveries. Finds the oldest by stepping
   * from tenant to tenant, without suspended ones: their deliveries must wait.
   * @param most where counting stops; null: no limit.
   */
  async read(most: number | null, channel: Channel | null = null): Promise<OpenDeliveries[]> {
    return this.database.query<OpenDeliveries>(OPEN_DELIVERIES, [this.clock.now(), most, channel]);
  }
}

// $1 now, $2 the most that is counted of pending and of in-flight ones, $3 the channel, or null for all
export const OPEN_DELIVERIES = `
  WITH RECURSIVE backlog (channel, tenant_id) AS (
    SELECT c.channel, (SELECT d.tenant_id FROM deliveries d
                       WHERE d.channel = c.channel AND d.state = 'pending' ORDER BY d.tenant_id LIMIT 1)
    FROM channels c WHERE $3::text IS NULL OR c.channel = $3
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
  SELECT c.channel, c.paused, c.down_since IS NULL AS up, c.cursor_tenant_id, p.due, p.deferred, f.queued, f.sending,
         -- GREATEST ignores nulls: without the first condition, nothing due would be due for 0 seconds.
         CASE WHEN LEAST(o.due_at, f.due_at) IS NOT NULL
              THEN GREATEST(extract(epoch FROM $1::timestamptz - LEAST(o.due_at, f.due_at)), 0)::double precision
         END AS oldest_due_seconds
  FROM channels c
  LEFT JOIN oldest o ON o.channel = c.channel
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE due_at <= $1) AS due, count(*) FILTER (WHERE due_at > $1) AS deferred
    FROM (SELECT due_at FROM deliveries d
          WHERE d.channel = c.channel AND d.state = 'pending' LIMIT $2) w) p
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'sending') AS sending,
           min(due_at) FILTER (WHERE t.suspended_at IS NULL) AS due_at
    FROM (SELECT tenant_id, state, due_at FROM deliveries d
          WHERE d.channel = c.channel AND d.state IN ('queued', 'sending') LIMIT $2) i
    JOIN tenants t ON t.id = i.tenant_id) f
  WHERE $3::text IS NULL OR c.channel = $3
  ORDER BY c.channel`;
