import { isForgottenSql } from '../forgotten-address.sql.js';
import { eventsSql } from './events.sql.js';
import { joinLink, linkEnded } from './links.sql.js';

/*
 * The transitions of leased messages: claim, renew, record, reap.
 *
 * A message is all deliveries with the same bundle id and lease token, and moves as a whole: otherwise its other half
 * would leave later under the same Message-ID, and a mail server would drop it as a duplicate. No statement here waits
 * for a row lock (SKIP LOCKED): otherwise an open transaction, such as a large import that is deleting items, would
 * block every other tenant until their leases expire. A message with a locked row is left unchanged.
 */

/**
 * The CTE `whole (tenant_id, id, lease_token)`: the deliveries of those messages of the CTE `asked (tenant_id,
 * bundle_id, lease_token)` in this state that no other transaction has locked, locked now in order of (tenant_id, id);
 * and `found (lease_token, rows)`: how many deliveries each message has.
 */
function wholeMessages(state: 'queued' | 'sending', tenants = ''): string {
  const rows = (columns: string, tail: string) => `
      SELECT ${columns} FROM asked
      JOIN deliveries d ON d.tenant_id = asked.tenant_id AND d.bundle_id = asked.bundle_id
                       AND d.lease_token = asked.lease_token AND d.state = '${state}' ${tenants}
      ${tail}`;
  return `
    found AS MATERIALIZED (${rows('d.lease_token, count(*) AS rows', 'GROUP BY d.lease_token')}),
    locked AS MATERIALIZED (
      ${rows(
        'd.tenant_id, d.id, d.lease_token, d.notification_id, d.channel, d.address',
        'ORDER BY d.tenant_id, d.id FOR UPDATE OF d SKIP LOCKED',
      )}
    ),
    whole AS MATERIALIZED (
      SELECT locked.* FROM locked
      JOIN (SELECT lease_token, count(*) AS rows FROM locked GROUP BY lease_token) l USING (lease_token)
      JOIN found USING (lease_token, rows)
    )`;
}

const ASKED = `asked AS (
      SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS a (tenant_id, bundle_id, lease_token)
    )`;

/**
 * `queued` → `sending`, and the message's content, a row per item. Deliveries whose fact is gone, whose recipient was
 * erased, whose one-time link has ended, whose alert somebody has acknowledged or snoozed (after this attempt was
 * admitted), whose address was stopped, or whose endpoint is disabled end as `suppressed` and are not in the message. The first of the others
 * leads.
 * $1 tenant ids, $2 bundle ids, $3 lease tokens, $4 seconds of the lease, $5 now
 */
export const CLAIM = `
  WITH ${ASKED},
    ${wholeMessages('queued', 'JOIN tenants t ON t.id = d.tenant_id AND t.suspended_at IS NULL')},
    judged AS (
      SELECT w.*, g.reason, row_number() OVER (PARTITION BY w.lease_token ORDER BY g.reason NULLS FIRST, w.id) AS place
      FROM whole w
      JOIN notifications n ON n.tenant_id = w.tenant_id AND n.id = w.notification_id
      LEFT JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
      ${joinLink('n')}
      LEFT JOIN webhook_endpoints e ON e.tenant_id = w.tenant_id
        AND e.id = CASE WHEN w.channel = 'webhook' THEN w.address::uuid END
      LEFT JOIN stopped_addresses s ON s.tenant_id = w.tenant_id AND s.channel = w.channel
        AND s.address = lower(w.address)
      CROSS JOIN LATERAL (
        SELECT CASE WHEN a.gone_at IS NOT NULL THEN 'fact_gone' WHEN ${isForgottenSql('w')} THEN 'user_erased'
                    WHEN a.acknowledged_at IS NOT NULL THEN 'acknowledged'
                    WHEN a.snoozed_until > $5::timestamptz THEN 'snoozed'
                    WHEN s.id IS NOT NULL THEN 'address_stopped'
                    WHEN w.channel = 'webhook' AND e.id IS NULL THEN 'endpoint_deleted'
                    WHEN e.state = 'disabled' THEN 'endpoint_disabled'
                    WHEN ${linkEnded('n', '$5::timestamptz')} THEN 'link_ended' END AS reason) g
    ),
    claimed AS (
      UPDATE deliveries d
      SET state = CASE WHEN j.reason IS NULL THEN 'sending' ELSE 'suppressed' END,
          reason = j.reason,
          attempts = d.attempts + (j.reason IS NULL)::integer,
          leads = j.reason IS NULL AND j.place = 1,
          lease_token = CASE WHEN j.reason IS NULL THEN d.lease_token END,
          lease_until = CASE WHEN j.reason IS NULL THEN now() + make_interval(secs => $4) END,
          ended_at = CASE WHEN j.reason IS NOT NULL THEN $5::timestamptz END
      FROM judged j
      WHERE d.tenant_id = j.tenant_id AND d.id = j.id
      RETURNING d.tenant_id, d.id, d.bundle_id, d.lease_token, d.channel, d.address, d.attempts, d.ambiguities,
                d.state, d.reason, d.notification_id, d.due_since
    ),
    ended AS (
      SELECT tenant_id, id, 'suppressed' AS event, attempts AS attempt, reason, NULL::timestamptz AS until,
             NULL::text AS error
      FROM claimed WHERE state = 'suppressed'
    ),
    ${eventsSql('ended', '$5')}
  SELECT c.tenant_id, c.bundle_id, c.lease_token, c.channel, c.address, c.attempts, c.ambiguities, c.due_since,
         t.name AS tenant_name, t.slug AS tenant_slug, t.time_zone, t.wording_version, coalesce(u.locale, t.locale) AS locale,
         u.id AS recipient_id, u.name AS recipient_name,
         c.id AS delivery_id, n.id AS notification_id, n.alert_id, n.kind, n.severity, n.data,
         n.audience, n.created_at, n.traceparent, author.name AS author_name, author.email AS author_email
  FROM claimed c
  JOIN notifications n ON n.tenant_id = c.tenant_id AND n.id = c.notification_id
  JOIN tenants t ON t.id = c.tenant_id
  LEFT JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id
  LEFT JOIN users author ON author.tenant_id = n.tenant_id
    AND author.id = CASE WHEN n.created_by LIKE 'user:%' THEN substring(n.created_by FROM 6)::uuid END
  WHERE c.state = 'sending'
  ORDER BY n.created_at, n.id`;

/**
 * Renews leases. A row per message that is still held; `renewed` is false if one of its rows is locked.
 * $1 tenant ids, $2 bundle ids, $3 lease tokens, $4 seconds of the lease
 */
export const RENEW = `
  WITH ${ASKED},
    ${wholeMessages('sending')},
    renewed AS (
      UPDATE deliveries d SET lease_until = now() + make_interval(secs => $4)
      FROM whole w WHERE d.tenant_id = w.tenant_id AND d.id = w.id
      RETURNING d.lease_token
    )
  SELECT lease_token, lease_token IN (SELECT lease_token FROM renewed) AS renewed FROM found`;

/**
 * `sending` → its outcome. A row per message that was held; `recorded` is false if one of its rows is locked. A message
 * that its channel could not take is requeued with nothing counted: its attempt reached nobody. Of a recipient who was
 * erased meanwhile it keeps only the outcome, and sends nothing again.
 * $1 tenant ids, $2 bundle ids, $3 lease tokens, $4 states, $5 errors, $6 provider ids, $7 ambiguous, $8 due instants,
 * $9 whether the channel is to blame, $10 reasons, $11 subjects, $12 texts, $13 now, $14 segments
 */
export const RECORD = `
  WITH outcomes AS (
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::boolean[],
                           $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], $12::text[], $14::smallint[])
        AS o (tenant_id, bundle_id, lease_token, state, error, provider_id, ambiguous, due_at, returned, reason,
              subject, text, segments)
    ),
    asked AS (SELECT tenant_id, bundle_id, lease_token FROM outcomes),
    ${wholeMessages('sending')},
    recorded AS (
      UPDATE deliveries d
      SET state = f.state, error = CASE WHEN NOT f.forgotten THEN o.error END,
          provider_id = CASE WHEN NOT f.forgotten THEN coalesce(o.provider_id, d.provider_id) END,
          attempts = d.attempts - o.returned::integer,
          ambiguities = d.ambiguities + o.ambiguous::integer,
          due_at = CASE WHEN f.state = 'pending' THEN coalesce(o.due_at, d.due_at) ELSE d.due_at END,
          reason = CASE WHEN f.state = 'suppressed' THEN 'user_erased' ELSE coalesce(o.reason, d.reason) END,
          defer_reason = CASE WHEN f.state = 'suppressed' THEN NULL
                              WHEN o.returned AND o.due_at IS NULL THEN 'channel_down'
                              WHEN o.state = 'pending' THEN 'retry' END,
          admitted_at = CASE WHEN NOT f.fresh THEN d.admitted_at END,
          bundle_id = CASE WHEN NOT f.fresh THEN d.bundle_id END,
          leads = d.leads OR f.fresh,
          sent_subject = CASE WHEN d.leads AND NOT f.forgotten THEN o.subject END,
          sent_text = CASE WHEN d.leads AND NOT f.forgotten THEN o.text END,
          segments = CASE WHEN d.leads THEN o.segments END,
          sent_at = CASE WHEN o.state = 'sent' THEN $13::timestamptz END,
          ended_at = CASE WHEN f.state <> 'pending' THEN $13::timestamptz END,
          lease_token = NULL, lease_until = NULL
      FROM whole w
      JOIN outcomes o USING (lease_token)
      JOIN deliveries was ON was.tenant_id = w.tenant_id AND was.id = w.id
      -- fresh: as if it had never been tried, so it may leave with what has come meanwhile. forgotten: of the locked
      -- row, because an erasure may have ended since this statement began.
      CROSS JOIN LATERAL (
        SELECT o.returned AND was.attempts = 1 AND was.ambiguities = 0 AS fresh, ${isForgottenSql('w')} AS forgotten,
               CASE WHEN o.state = 'pending' AND ${isForgottenSql('w')} THEN 'suppressed' ELSE o.state END AS state) f
      WHERE d.tenant_id = w.tenant_id AND d.id = w.id
      RETURNING d.tenant_id, d.id, o.lease_token, d.attempts AS attempt, d.error,
                CASE WHEN f.state = 'suppressed' THEN f.state WHEN o.returned THEN 'returned'
                     WHEN o.state = 'pending' THEN 'retried' WHEN o.state <> 'sent' THEN o.state END AS event,
                CASE WHEN f.state = 'suppressed' THEN d.reason ELSE coalesce(d.defer_reason, o.reason) END AS reason,
                CASE WHEN f.state = 'pending' AND o.due_at IS NOT NULL THEN d.due_at END AS until
    ),
    ${eventsSql('recorded', '$13')}
  SELECT lease_token, lease_token IN (SELECT lease_token FROM recorded) AS recorded FROM found`;

/**
 * Requeues messages whose lease expired. `queued`: sending never began, so pending again with nothing counted.
 * `sending`: may have been accepted, so repeated as often as its channel permits, then `unknown` for a person to
 * decide.
 * $1 channels, $2 repeats and $3 attempts of each, $4 now, $5 the least number of deliveries (all of the last message's)
 */
export const REAP = `
  WITH asked AS (
      SELECT DISTINCT tenant_id, lease_token, state AS was FROM (
        SELECT tenant_id, lease_token, state FROM deliveries
        WHERE state IN ('queued', 'sending') AND lease_until < now()
        ORDER BY lease_until FETCH FIRST $5 ROWS WITH TIES) e
    ),
    found AS MATERIALIZED (
      SELECT d.tenant_id, d.lease_token, count(*) AS rows
      FROM asked JOIN deliveries d ON d.tenant_id = asked.tenant_id AND d.lease_token = asked.lease_token
                                  AND d.state IN ('queued', 'sending') AND d.lease_until < now()
      GROUP BY 1, 2
    ),
    locked AS MATERIALIZED (
      SELECT d.tenant_id, d.id, d.lease_token, asked.was, d.channel, d.ambiguities, d.attempts
      FROM asked JOIN deliveries d ON d.tenant_id = asked.tenant_id AND d.lease_token = asked.lease_token
                                  AND d.state = asked.was AND d.lease_until < now()
      ORDER BY d.tenant_id, d.id FOR UPDATE OF d SKIP LOCKED
    ),
    permitted (channel, repeats, attempts) AS (SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[])),
    decided AS (
      SELECT l.*, l.was = 'sending' AND (l.ambiguities >= p.repeats OR l.attempts >= p.attempts) AS ends
      FROM locked l
      JOIN (SELECT lease_token, count(*) AS rows FROM locked GROUP BY lease_token) c USING (lease_token)
      JOIN found f ON f.lease_token = c.lease_token AND f.rows = c.rows
      JOIN permitted p USING (channel)
    ),
    reaped AS (
      UPDATE deliveries d
      SET state = CASE WHEN e.ends THEN 'unknown' ELSE 'pending' END,
          ambiguities = d.ambiguities + (e.was = 'sending')::integer,
          error = CASE WHEN e.was = 'sending' THEN 'the sending process was lost' ELSE d.error END,
          -- What was never begun has used nothing of anyone's limit. due_at stays: it keeps its place.
          admitted_at = CASE WHEN d.attempts > 0 THEN d.admitted_at END,
          bundle_id = CASE WHEN d.attempts > 0 THEN d.bundle_id END,
          leads = d.leads OR d.attempts = 0,
          ended_at = CASE WHEN e.ends THEN $4::timestamptz END,
          lease_token = NULL, lease_until = NULL
      FROM decided e
      WHERE d.tenant_id = e.tenant_id AND d.id = e.id
      RETURNING d.tenant_id, d.id, e.lease_token, e.was, d.attempts AS attempt,
                CASE WHEN e.ends THEN 'unknown' ELSE 'requeued' END AS event, 'lease_expired' AS reason,
                NULL::timestamptz AS until, CASE WHEN e.was = 'sending' THEN d.error END AS error
    ),
    ${eventsSql('reaped', '$4')}
  SELECT DISTINCT lease_token, was FROM reaped`;
