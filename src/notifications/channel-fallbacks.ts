import { Injectable } from '@nestjs/common';
import { Outbox } from '../delivery/outbox.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { announcement, type AnnouncementParameters } from './announcement.js';
import { Notifications } from './notifications.service.js';

/** Notifications of one statement; the next takes the rest. */
const MAX_AT_ONCE = 500;

/** Reasons why a channel cannot reach the user at all. With any other reason nothing more must be sent. */
const UNREACHABLE = `'preference', 'tenant_preference', 'no_address', 'address_stopped', 'channel_not_configured'`;

export interface Advanced {
  /** Notifications that got a further channel. */
  advanced: number;
  /** Notifications whose channel was examined. */
  examined: number;
  /** Messages to send, by channel. */
  channels: Record<string, number>;
}

/**
 * Sends a notification on the next channel once the previous one has failed for good. The table
 * `channel_fallbacks` has the remaining channels, so a killed process loses nothing. The next call of
 * `advance` notices an outcome.
 */
@Injectable()
export class ChannelFallbacks {
  constructor(private readonly notifications: Notifications) {}

  /**
   * The CTE `fallbacks` of a statement that announces: stores the remaining channels.
   * @param later a table or CTE `(dedupe_key, remaining)` of the announced keys, `remaining` as text[]
   */
  static storeSql(later: string, p: AnnouncementParameters): string {
    return `
    fallbacks AS (
      INSERT INTO channel_fallbacks (tenant_id, notification_id, remaining)
      SELECT DISTINCT ON (c.id) ${p.tenant_id}, c.id, l.remaining
      FROM created c JOIN ${later} l USING (dedupe_key) WHERE cardinality(l.remaining) > 0
      RETURNING notification_id
    )`;
  }

  /** No further channel for the reminders of tickets that are settled or deleted. */
  async ticketsGone(tx: TenantTransaction, ticketIds: readonly string[]): Promise<void> {
    await tx.execute(
      `DELETE FROM channel_fallbacks f USING notifications n
       WHERE f.tenant_id = $1 AND n.tenant_id = $1 AND n.id = f.notification_id
         AND n.kind = 'reminder' AND n.data ->> 'ticket_id' = ANY ($2::text[])`,
      [tx.tenant_id, ticketIds],
    );
  }

  /**
   * Uses the next channel of up to 500 notifications whose channel has failed, is unknown, or cannot reach the user.
   * Drops those that were sent, and those without a channel left. One call at a time for each tenant.
   */
  async advance(tx: TenantTransaction): Promise<Advanced> {
    // A separate statement: the next one must see what another process has just created.
    await tx.lock(`channel-fallbacks:${tx.tenant_id}`);
    const [row] = await this.notifications.announce<Advanced & { deliveries: number }, never>(
      tx,
      ADVANCE,
      {},
    );
    const { deliveries, ...counts } = row ?? { advanced: 0, examined: 0, channels: {}, deliveries: 0 };
    this.notifications.announced(tx, [], deliveries);
    return counts;
  }
}

const ADVANCE = announcement(
  {},
  (p) => `
  WITH settled AS MATERIALIZED (
    SELECT f.notification_id, f.remaining, (
      SELECT bool_or(d.state IN ('sent', 'cancelled') OR d.state = 'suppressed' AND d.reason NOT IN (${UNREACHABLE}))
      FROM deliveries d WHERE d.tenant_id = f.tenant_id AND d.notification_id = f.notification_id
    ) IS TRUE AS over
    FROM channel_fallbacks f
    WHERE f.tenant_id = ${p.tenant_id} AND NOT EXISTS (
      SELECT FROM deliveries d
      WHERE d.tenant_id = f.tenant_id AND d.notification_id = f.notification_id
        AND d.state IN ('pending', 'queued', 'sending'))
    ORDER BY f.notification_id LIMIT ${MAX_AT_ONCE}
  ),
  dropped AS (
    DELETE FROM channel_fallbacks f USING settled s
    WHERE f.tenant_id = ${p.tenant_id} AND f.notification_id = s.notification_id
      AND (s.over OR cardinality(s.remaining) = 1)
  ),
  shortened AS (
    UPDATE channel_fallbacks f SET remaining = s.remaining[2:]
    FROM settled s
    WHERE f.tenant_id = ${p.tenant_id} AND f.notification_id = s.notification_id
      AND NOT s.over AND cardinality(s.remaining) > 1
  ),
  created AS (
    SELECT n.id, n.recipient, n.user_id, n.kind, n.severity, NULL::text AS address, s.remaining[1] AS channel,
           ${p.now} AS due_at
    FROM settled s JOIN notifications n ON n.tenant_id = ${p.tenant_id} AND n.id = s.notification_id
    WHERE NOT s.over AND n.user_id IS NOT NULL
  ),
  ${Outbox.deliveriesSql('created', p)}
  SELECT (SELECT count(*) FROM created) AS advanced, (SELECT count(*) FROM settled) AS examined,
         (SELECT count(*) FROM delivered) AS deliveries,
         (SELECT coalesce(jsonb_object_agg(channel, messages), '{}') FROM (
           SELECT channel, count(*) AS messages FROM delivered WHERE state = 'pending' GROUP BY channel) c) AS channels`,
);
