import { prepared, type PreparedStatement } from '../../platform/database/transaction.js';
import { announceMessageSql } from '../announcement.js';

// Parameters of all: $1 tenant id, $2 the incident or message, $3 the address of last resort (or null), $4 now,
// $5 the outbox's channels.

/**
 * `recipients (user_id, address, locale)`: whom the tenant has named, else its admins, else the last resort. An
 * address that is a user's is told as that user: their feed, preferences and language count.
 */
const RECIPIENTS = `
  tenant AS (SELECT locale, settings FROM tenants WHERE id = $1),
  named AS (SELECT jsonb_array_elements_text(settings -> 'alert_recipients') AS address FROM tenant),
  admins AS (SELECT id FROM users WHERE tenant_id = $1 AND role = 'admin' AND NOT EXISTS (SELECT FROM named)),
  addresses AS (
    SELECT address FROM named
    UNION ALL
    SELECT $3::text
    WHERE $3::text IS NOT NULL AND NOT EXISTS (SELECT FROM named) AND NOT EXISTS (SELECT FROM admins)
  ),
  recipients AS (
    SELECT u.id AS user_id, CASE WHEN u.id IS NULL THEN a.address END AS address,
           coalesce(u.locale, t.locale) AS locale
    FROM addresses a CROSS JOIN tenant t
    LEFT JOIN users u ON u.tenant_id = $1 AND lower(u.email) = lower(a.address)
    UNION ALL
    SELECT u.id, NULL, coalesce(u.locale, t.locale)
    FROM admins JOIN users u ON u.tenant_id = $1 AND u.id = admins.id CROSS JOIN tenant t
  )`;

/** @param alert the CTE `alert (id, opened, speaks, dedupe_key)`, of at most one row; its key is what is told. */
function statement(alert: string): PreparedStatement {
  return prepared(`
    WITH incident AS (
      SELECT * FROM jsonb_to_record($2::jsonb) AS i (kind text, source_type text, source_id uuid, dedupe_key text,
        severity text, title jsonb, body jsonb, data jsonb, told_before timestamptz)
    ),
    ${RECIPIENTS},
    ${alert},
    told AS (
      SELECT r.user_id, coalesce('user:' || r.user_id, 'mailto:' || lower(r.address)) AS recipient, r.address,
             CASE WHEN r.user_id IS NULL THEN 'email' END AS channel, a.id AS alert_id, NULL::text AS created_by,
             a.dedupe_key, i.kind, i.severity, i.title ->> r.locale AS title, i.body ->> r.locale AS body, i.data,
             $4::timestamptz AS due_at
      FROM alert a CROSS JOIN incident i CROSS JOIN recipients r
      WHERE a.speaks
    ),
    ${announceMessageSql('told')}
    SELECT a.id AS alert_id, a.opened, a.speaks, (SELECT count(*) FROM recipients) AS recipients,
           (SELECT count(*) FROM created) AS told, (SELECT count(*) FROM delivered) AS deliveries,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created WHERE user_id IS NOT NULL), '{}') AS user_ids
    FROM alert a`);
}

/**
 * Opens the alert or counts it. `before` waits for whoever is doing the same, and then tells one that speaks now from
 * one that was told at this very instant; the join makes it come first.
 */
export const RAISE = statement(`
    before AS (
      SELECT a.last_notified_at FROM alerts a JOIN incident i USING (dedupe_key)
      WHERE a.tenant_id = $1 AND a.gone_at IS NULL
      FOR UPDATE OF a
    ),
    seen AS (
      INSERT INTO alerts AS a (tenant_id, kind, severity, source_type, source_id, dedupe_key, title,
                               first_seen_at, last_seen_at, last_notified_at)
      SELECT $1, i.kind, i.severity, i.source_type, i.source_id, i.dedupe_key, i.title ->> t.locale,
             $4::timestamptz, $4::timestamptz, $4::timestamptz
      FROM incident i CROSS JOIN tenant t LEFT JOIN before ON true
      ON CONFLICT (tenant_id, dedupe_key) WHERE gone_at IS NULL DO UPDATE
        SET occurrences = a.occurrences + 1, last_seen_at = excluded.last_seen_at, title = excluded.title,
            severity = excluded.severity,
            last_notified_at = CASE WHEN a.state = 'open' AND a.last_notified_at <= (SELECT told_before FROM incident)
                           THEN excluded.last_notified_at ELSE a.last_notified_at END
      RETURNING id, occurrences, last_notified_at
    ),
    alert AS (
      SELECT s.id, s.occurrences = 1 AS opened,
             s.occurrences = 1 OR coalesce(s.last_notified_at = $4 AND b.last_notified_at < $4, false) AS speaks,
             s.id || ':' || s.occurrences AS dedupe_key
      FROM seen s LEFT JOIN before b ON true
    )`);

/** Whoever asks at the same time finds it told. */
export const REMIND = statement(`
    alert AS (
      UPDATE alerts a SET last_notified_at = $4
      FROM incident i
      WHERE a.tenant_id = $1 AND a.dedupe_key = i.dedupe_key AND a.gone_at IS NULL AND a.state = 'open'
        AND a.last_notified_at <= i.told_before
      RETURNING a.id, false AS opened, true AS speaks,
                a.id || ':r' || (extract(epoch FROM $4::timestamptz) * 1000)::bigint AS dedupe_key
    )`);

/** Without an alert. */
export const ANNOUNCE = statement(`
    alert AS (SELECT NULL::uuid AS id, false AS opened, true AS speaks, dedupe_key FROM incident)`);
