import { announcement, announceSql } from '../notifications/announcement.js';
import { ChannelFallbacks } from '../notifications/channel-fallbacks.js';
import { reminderDataSql } from './reminder-data.js';
import type { EndReason } from './reminders.dto.js';

/** A due reminder that this transaction holds. */
export interface DueReminder {
  id: string;
  starts_on: string;
  frequency_days: number;
  local_time: string;
  ends_after: number | null;
  sent_count: number;
  /** The civil date that is due. */
  next_on: string;
  zone: string;
  /** Why it ends without being sent. */
  ticket_fault: 'ticket_settled' | 'ticket_moved' | null;
}

/** The decision on a due reminder. */
export interface DecidedReminder {
  id: string;
  /** The civil date that is due. */
  occasion: string;
  sends: boolean;
  end_reason: EndReason | null;
  next_on: string | null;
  next_at: string | null;
  zone: string | null;
}

export interface SentReminders {
  sent: number;
  deliveries: number;
  /** Messages to send, by channel. */
  channels: Record<string, number>;
  user_ids: string[];
}

/**
 * Claims due reminders of a tenant in order of their ids; skips those that another transaction holds.
 * $1 tenant id, $2 now, $3 the most
 */
export const CLAIM_DUE = `
  SELECT r.id, r.starts_on, r.frequency_days, r.local_time, r.ends_after, r.sent_count, r.next_on,
         coalesce(u.time_zone, t.time_zone) AS zone,
         CASE WHEN k.settled_at IS NOT NULL THEN 'ticket_settled'
              WHEN r.ticket_id IS NOT NULL AND k.responsible_id IS DISTINCT FROM r.user_id THEN 'ticket_moved'
         END AS ticket_fault
  FROM reminders r
  JOIN tenants t ON t.id = r.tenant_id
  JOIN users u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
  LEFT JOIN tickets k ON k.tenant_id = r.tenant_id AND k.id = r.ticket_id
  WHERE r.tenant_id = $1 AND r.next_at <= $2
  ORDER BY r.id LIMIT $3
  FOR NO KEY UPDATE OF r SKIP LOCKED`;

export const COUNT_DUE = `SELECT count(*) AS due FROM reminders WHERE tenant_id = $1 AND next_at <= $2`;

/**
 * Moves claimed reminders to their next dates and announces them: on every enabled channel, or on the first one, with
 * the others stored in case it fails. The key is the reminder and its civil date: a date is never sent twice.
 */
export const SEND_DUE = announcement(
  { rows: 'jsonb' },
  (p) => `
  WITH decided AS (
    SELECT * FROM jsonb_to_recordset(${p.rows}) AS d (id uuid, occasion text, sends boolean, end_reason text,
                                                      next_on date, next_at timestamptz, zone text)
  ),
  moved AS (
    UPDATE reminders r
    SET next_on = d.next_on, next_at = d.next_at, time_zone = d.zone, active = d.next_at IS NOT NULL,
        sent_count = r.sent_count + d.sends::integer, end_reason = d.end_reason,
        ended_at = CASE WHEN d.end_reason IS NOT NULL THEN ${p.now} END
    FROM decided d WHERE r.tenant_id = ${p.tenant_id} AND r.id = d.id
    RETURNING r.id, r.user_id, r.ticket_id, r.message, r.mode, r.channels, d.sends,
              'reminder:' || r.id || ':' || d.occasion AS dedupe_key
  ),
  sending AS MATERIALIZED (
    SELECT m.*, ARRAY(
      SELECT c.item ->> 'channel' FROM jsonb_array_elements(m.channels) WITH ORDINALITY AS c (item, place)
      WHERE (c.item ->> 'enabled')::boolean ORDER BY c.place) AS enabled
    FROM moved m WHERE m.sends
  ),
  audience AS (
    SELECT s.user_id, 'user:' || s.user_id AS recipient, NULL::text AS address, c.channel, ${p.now} AS due_at,
           NULL::uuid AS alert_id, NULL::text AS created_by, s.dedupe_key, 'reminder' AS kind, 'info' AS severity,
           ${reminderDataSql({ id: 's.id', message: 's.message' }, 'k')} AS data, 'self' AS audience
    FROM sending s
    LEFT JOIN tickets k ON k.tenant_id = ${p.tenant_id} AND k.id = s.ticket_id
    CROSS JOIN LATERAL unnest(CASE WHEN s.mode = 'all' THEN s.enabled ELSE s.enabled[:1] END) AS c (channel)
  ),
  later AS (SELECT dedupe_key, enabled[2:] AS remaining FROM sending WHERE mode = 'first_that_works'),
  ${announceSql(p, { addressed: true })},
  ${ChannelFallbacks.storeSql('later', p)}
  SELECT (SELECT count(*) FROM sending) AS sent, (SELECT count(*) FROM delivered) AS deliveries,
         (SELECT coalesce(jsonb_object_agg(channel, messages), '{}') FROM (
           SELECT channel, count(*) AS messages FROM delivered WHERE state = 'pending' GROUP BY channel) c) AS channels,
         coalesce((SELECT array_agg(DISTINCT user_id) FROM created), '{}') AS user_ids`,
);
