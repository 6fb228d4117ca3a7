import { forgottenAddressSql } from '../forgotten-address.sql.js';
import { eventsSql } from './events.sql.js';
import { joinLink, KINDS, linkEnded } from './links.sql.js';

/*
 * Acts of people and other modules on waiting deliveries: cancel, suppress, pause, retry. Locks rows in order of
 * (tenant_id, id). Statements of a tenant's transaction wait for a row that is being claimed; those of operators skip
 * it, and its holder moves it.
 */

/** Dissolves messages whose sending never began: their deliveries may leave with others. */
const DISSOLVE = `
      bundle_id = CASE WHEN d.attempts > 0 THEN d.bundle_id END,
      leads = d.leads OR d.attempts = 0,
      admitted_at = CASE WHEN d.attempts > 0 THEN d.admitted_at END,
      lease_token = NULL, lease_until = NULL`;

/**
 * Ends the deliveries of the CTE `locked (tenant_id, id)` without sending them, and writes their events: the CTEs
 * `ended (tenant_id, id, …)` and `noted`. Deliveries whose sending never began use no limit.
 */
export function endSql(state: 'suppressed' | 'cancelled', reason: string, now = '$3', name = ''): string {
  return `
    ${name}ended AS (
      UPDATE deliveries d
      SET state = '${state}', reason = ${reason}, ended_at = ${now}, lease_token = NULL, lease_until = NULL,
          leads = d.leads AND d.attempts > 0,
          admitted_at = CASE WHEN d.attempts > 0 THEN d.admitted_at END
      FROM ${name}locked l WHERE d.tenant_id = l.tenant_id AND d.id = l.id
      RETURNING d.tenant_id, d.id, '${state}' AS event, d.attempts AS attempt, d.reason,
                NULL::timestamptz AS until, NULL::text AS error
    ),
    ${eventsSql(`${name}ended`, now, `${name}noted`)}`;
}

/**
 * The same as CTEs of a statement that announces a later stage of these alerts: `superseded_locked`, `superseded_ended`
 * and `superseded_noted`.
 * @param alerts a SELECT of alert ids
 */
export function supersededSql(alerts: string, p: { tenant_id: string; now: string }): string {
  return `
    superseded_locked AS MATERIALIZED (
      SELECT d.tenant_id, d.id FROM notifications n
      JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
      WHERE n.tenant_id = ${p.tenant_id} AND n.alert_id IN (${alerts}) AND d.state IN ('pending', 'queued')
      ORDER BY d.tenant_id, d.id FOR UPDATE OF d
    ),
    ${endSql('suppressed', `'superseded'`, p.now, 'superseded_')}`;
}

/**
 * `pending` or `queued` → `suppressed`: the deliveries of these alerts, unless they are being sent.
 * $1 tenant id, $2 alert ids, $3 now, $4 reason
 */
export const SUPPRESS_OF_ALERTS = `
  WITH locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM notifications n
    JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
    WHERE n.tenant_id = $1 AND n.alert_id = ANY ($2::uuid[])
      AND d.state IN ('pending', 'queued')
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  ${endSql('suppressed', '$4::text')}
  SELECT count(*) FROM ended`;

/**
 * The same for the reminders of tickets that are settled or deleted.
 * $1 tenant id, $2 ticket ids, $3 now
 */
export const SUPPRESS_OF_TICKETS = `
  WITH locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM notifications n
    JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
    WHERE n.tenant_id = $1 AND n.kind = 'reminder' AND n.data ->> 'ticket_id' = ANY ($2::text[])
      AND d.state IN ('pending', 'queued')
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  ${endSql('suppressed', `'fact_gone'`)}
  SELECT count(*) FROM ended`;

/**
 * `suppressed` → `pending`, with all attempts again: the deliveries that an acknowledgement or a snooze of these
 * alerts has suppressed, once it is undone. Only those of the newest notification of each alert and recipient: a snooze
 * that has ended was followed by another notification. One that may have arrived stays suppressed.
 * $1 tenant id, $2 alert ids, $3 now
 */
export const RESTORE_OF_ALERTS = `
  WITH newest AS MATERIALIZED (
    SELECT DISTINCT ON (alert_id, recipient) tenant_id, id FROM notifications
    WHERE tenant_id = $1 AND alert_id = ANY ($2::uuid[])
    ORDER BY alert_id, recipient, created_at DESC, id DESC
  ),
  locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM newest n
    JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
    WHERE d.state = 'suppressed' AND d.reason IN ('acknowledged', 'snoozed') AND d.ambiguities = 0
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  restored AS (
    UPDATE deliveries d
    SET state = 'pending', reason = NULL, attempts = 0, due_at = $3, due_since = $3, defer_reason = NULL,
        ended_at = NULL, bundle_id = NULL, leads = true, admitted_at = NULL
    FROM locked l WHERE d.tenant_id = l.tenant_id AND d.id = l.id
    RETURNING d.tenant_id, d.id, 'reset' AS event, 0 AS attempt, 'restored' AS reason,
              NULL::timestamptz AS until, NULL::text AS error
  ),
  ${eventsSql('restored', '$3')}
  SELECT count(*) AS restored FROM restored`;

/**
 * The same for the deliveries to a person who is being erased.
 * $1 tenant id, $2 recipient, $3 now
 */
export const SUPPRESS_OF_RECIPIENT = `
  WITH locked AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE tenant_id = $1 AND recipient = $2 AND state IN ('pending', 'queued')
    ORDER BY tenant_id, id FOR UPDATE
  ),
  ${endSql('suppressed', `'user_erased'`)}
  SELECT count(*) FROM ended`;

/**
 * The same for mails to this recipient whose one-time link no longer works.
 * $1 tenant id, $2 recipient, $3 now
 */
export const SUPPRESS_OF_LINKS = `
  WITH locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM notifications n
    JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
    ${joinLink('n')}
    WHERE n.tenant_id = $1 AND n.recipient = $2 AND n.kind IN (${KINDS})
      AND d.state IN ('pending', 'queued') AND ${linkEnded('n', '$3')}
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  ${endSql('suppressed', `'link_ended'`)}
  SELECT count(*) FROM ended`;

/**
 * The same for deliveries to a user on channels that they have turned off for the kind. Critical ones are sent on
 * channels that the kind's default turns on.
 * $1 tenant id, $2 user id, $3 now, $4 and $5 the kinds and channels that are on by default
 */
export const SUPPRESS_OF_PREFERENCES = `
  WITH locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM deliveries d
    JOIN notifications n ON n.tenant_id = d.tenant_id AND n.id = d.notification_id
    JOIN preferences p ON p.tenant_id = d.tenant_id AND p.user_id = $2 AND p.kind = n.kind AND p.channel = d.channel
                      AND NOT p.enabled
    WHERE d.tenant_id = $1 AND d.recipient = 'user:' || $2 AND d.state IN ('pending', 'queued')
      AND NOT (n.severity = 'critical'
               AND (n.kind, d.channel) IN (SELECT * FROM unnest($4::text[], $5::text[])))
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d
  ),
  ${endSql('suppressed', `'preference'`)}
  SELECT count(*) FROM ended`;

/**
 * Deletes the addresses and message contents of a person who is being erased.
 * $1 tenant id, $2 recipient
 */
export const FORGET_RECIPIENT = `
  UPDATE deliveries d SET address = ${forgottenAddressSql('d')}, sent_subject = NULL, sent_text = NULL
  FROM (SELECT tenant_id, id FROM deliveries WHERE tenant_id = $1 AND recipient = $2
        ORDER BY tenant_id, id FOR UPDATE) l
  WHERE d.tenant_id = l.tenant_id AND d.id = l.id`;

/**
 * Deletes the contents of the messages that carried these notifications.
 * $1 tenant id, $2 notification ids
 */
export const FORGET_TEXTS = `
  UPDATE deliveries d SET sent_subject = NULL, sent_text = NULL
  FROM (SELECT l.tenant_id, l.id FROM deliveries o
        JOIN deliveries l ON l.tenant_id = o.tenant_id AND l.bundle_id = o.bundle_id AND l.leads
        WHERE o.tenant_id = $1 AND o.notification_id = ANY ($2::uuid[])
        ORDER BY l.tenant_id, l.id FOR UPDATE OF l) l
  WHERE d.tenant_id = l.tenant_id AND d.id = l.id`;

/**
 * Makes deliveries due that hours or limits have deferred, so that the dispatcher decides again.
 * $1 tenant id, $2 recipient or null, $3 now
 */
export const RECONSIDER = `
  UPDATE deliveries d SET due_at = $3, due_since = LEAST(d.due_since, $3), defer_reason = NULL
  FROM (SELECT tenant_id, id FROM deliveries
        WHERE tenant_id = $1 AND state = 'pending' AND ($2::text IS NULL OR recipient = $2)
          AND (defer_reason IN ('operating_hours', 'quiet_hours', 'user_paused') OR defer_reason LIKE 'limit\\_%')
        ORDER BY tenant_id, id FOR UPDATE) l
  WHERE d.tenant_id = l.tenant_id AND d.id = l.id`;

/**
 * `queued` → `pending`. Requeues a message as a whole, or leaves it to its worker.
 * $1 channel, $2 now
 */
function requeueSql(reason: 'paused' | 'channel_down', deferReason: string): string {
  return `
  WITH found AS MATERIALIZED (
    SELECT lease_token, count(*) AS rows FROM deliveries WHERE channel = $1 AND state = 'queued' GROUP BY lease_token
  ),
  locked AS MATERIALIZED (
    SELECT tenant_id, id, lease_token FROM deliveries WHERE channel = $1 AND state = 'queued'
    ORDER BY tenant_id, id FOR UPDATE SKIP LOCKED
  ),
  whole AS (
    SELECT locked.* FROM locked
    JOIN (SELECT lease_token, count(*) AS rows FROM locked GROUP BY lease_token) l USING (lease_token)
    JOIN found USING (lease_token, rows)
  ),
  returned AS (
    UPDATE deliveries d SET state = 'pending', defer_reason = ${deferReason}, ${DISSOLVE}
    FROM whole w WHERE d.tenant_id = w.tenant_id AND d.id = w.id
    RETURNING d.tenant_id, d.id, 'requeued' AS event, d.attempts AS attempt, '${reason}' AS reason,
              NULL::timestamptz AS until, NULL::text AS error
  ),
  ${eventsSql('returned', '$2')}
  SELECT id FROM returned`;
}

/** For a paused channel. */
export const REQUEUE_PAUSED = requeueSql('paused', 'd.defer_reason');
/** For a channel that went down: queued deliveries would only hit the same fault. */
export const REQUEUE_DOWN = requeueSql('channel_down', `'channel_down'`);

/**
 * `queued` or `pending` → `cancelled`, of all tenants or of one.
 * $1 channel, $2 tenant or null, $3 now, $4 the most of each
 */
export const CANCEL = `
  WITH queued AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE channel = $1 AND state = 'queued' AND ($2::uuid IS NULL OR tenant_id = $2)
    LIMIT $4
  ),
  pending AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE channel = $1 AND state = 'pending' AND ($2::uuid IS NULL OR tenant_id = $2)
    LIMIT $4
  ),
  locked AS MATERIALIZED (
    SELECT d.tenant_id, d.id FROM (SELECT * FROM queued UNION ALL SELECT * FROM pending) q
    JOIN deliveries d ON d.tenant_id = q.tenant_id AND d.id = q.id AND d.state IN ('queued', 'pending')
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d SKIP LOCKED
  ),
  ${endSql('cancelled', `'purged'`)}
  SELECT id FROM ended`;

/**
 * Makes waiting retries due, with their remaining attempts. Deliveries deferred by a person's hours, a limit or a
 * chosen time stay deferred.
 * $1 channel, $2 tenant or null, $3 now, $4 how many
 */
export const HASTEN = `
  WITH locked AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE channel = $1 AND state = 'pending' AND due_at > $3 AND defer_reason IN ('retry', 'channel_down')
      AND ($2::uuid IS NULL OR tenant_id = $2)
    ORDER BY tenant_id, id LIMIT $4 FOR UPDATE SKIP LOCKED
  )
  UPDATE deliveries d SET due_at = $3, defer_reason = NULL
  FROM locked l WHERE d.tenant_id = l.tenant_id AND d.id = l.id
  RETURNING d.id`;
