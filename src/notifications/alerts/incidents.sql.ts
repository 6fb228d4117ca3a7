import { Outbox } from '../../delivery/outbox.js';
import {
  type Announcement,
  announcement,
  type AnnouncementParameters,
  announceSql,
} from '../announcement.js';
import { silentSql } from './silence.sql.js';
import { alertRecipientsSql } from '../audience.js';

/** Parameters of all statements: an array of incidents or messages, and the fallback address (or null). */
export type IncidentParameters = 'incidents' | 'fallback';
type Parameters = AnnouncementParameters<IncidentParameters>;

/**
 * Announces several together: they are due at the same instant, and leave as one message per person.
 * @param alert CTEs that end with `alert (incident, id, opened, notifies, dedupe_key)`, at most one row per incident,
 *   identified by `incident`; `dedupe_key` is the notifications'. New notifications of an open incident replace its
 *   pending ones.
 */
function statement(alert: (p: Parameters) => string): Announcement<IncidentParameters> {
  return announcement(
    { incidents: 'jsonb', fallback: 'text' },
    (p) => `
    WITH incident AS (
      SELECT * FROM jsonb_to_recordset(${p.incidents}) AS i (kind text, source_type text, source_id uuid,
        dedupe_key text, severity text, data jsonb, repeat_before timestamptz)
    ),
    ${alertRecipientsSql(p.tenant_id, p.fallback)},
    ${alert(p)},
    audience AS (
      SELECT r.user_id, coalesce('user:' || r.user_id, 'mailto:' || lower(r.address)) AS recipient, r.address,
             CASE WHEN r.user_id IS NULL THEN 'email' END AS channel, a.id AS alert_id, NULL::text AS created_by,
             a.dedupe_key, i.kind, i.severity, i.data, 'alert_recipient' AS audience, ${p.now} AS due_at
      FROM alert a JOIN incident i ON i.dedupe_key = a.incident CROSS JOIN recipients r
      WHERE a.notifies
    ),
    ${Outbox.supersededSql('SELECT id FROM alert WHERE notifies AND NOT opened', p)},
    ${announceSql(p, { addressed: true })},
    notified AS (SELECT dedupe_key, count(*) AS people FROM created GROUP BY dedupe_key)
    SELECT coalesce((SELECT jsonb_agg(jsonb_build_object(
                       'dedupe_key', a.incident, 'alert_id', a.id, 'opened', a.opened, 'notifies', a.notifies,
                       'notified', coalesce(n.people, 0)))
                     FROM alert a LEFT JOIN notified n USING (dedupe_key)), '[]') AS incidents,
           (SELECT count(*) FROM recipients) AS recipients, (SELECT count(*) FROM delivered) AS deliveries,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created WHERE user_id IS NOT NULL), '{}') AS user_ids`,
  );
}

/** Whether the incident `i` may announce the alert `a` again: after its time, or as soon as a snooze has ended. */
const isDue = (now: string) => `a.state = 'open' AND NOT ${silentSql('a', now)} AND (
  a.snoozed_until IS NOT NULL OR coalesce(a.last_notified_at <= i.repeat_before, false))`;

/**
 * Opens the alerts or counts them, in order of their keys. `standing` waits for concurrent statements, and decides by
 * the rows that they leave; if two open the same alert, the insert counts the second.
 */
export const RAISE = statement(
  (p) => `
    standing AS MATERIALIZED (
      SELECT a.id, a.dedupe_key, ${isDue(p.now)} AS due
      FROM alerts a JOIN incident i USING (dedupe_key)
      WHERE a.tenant_id = ${p.tenant_id} AND a.gone_at IS NULL
      ORDER BY a.dedupe_key FOR UPDATE OF a
    ),
    seen AS (
      INSERT INTO alerts AS a (tenant_id, kind, severity, source_type, source_id, dedupe_key, data,
                               first_seen_at, last_seen_at, last_notified_at)
      SELECT ${p.tenant_id}, i.kind, i.severity, i.source_type, i.source_id, i.dedupe_key, i.data,
             ${p.now}, ${p.now}, ${p.now}
      FROM incident i LEFT JOIN standing s USING (dedupe_key)
      ORDER BY i.dedupe_key
      ON CONFLICT (tenant_id, dedupe_key) WHERE gone_at IS NULL DO UPDATE
        SET occurrences = a.occurrences + 1, last_seen_at = excluded.last_seen_at, data = excluded.data,
            severity = excluded.severity,
            last_notified_at = CASE WHEN excluded.dedupe_key IN (SELECT dedupe_key FROM standing WHERE due)
                                    THEN excluded.last_notified_at ELSE a.last_notified_at END,
            snoozed_until = CASE WHEN excluded.dedupe_key NOT IN (SELECT dedupe_key FROM standing WHERE due)
                                 THEN a.snoozed_until END
      RETURNING id, dedupe_key, occurrences
    ),
    alert AS (
      SELECT seen.dedupe_key AS incident, seen.id, occurrences = 1 AS opened,
             occurrences = 1 OR coalesce(s.due, false) AS notifies, seen.id || ':' || occurrences AS dedupe_key
      FROM seen LEFT JOIN standing s USING (dedupe_key)
    )`,
);

/** Concurrent reminders notify once. */
export const REMIND = statement(
  (p) => `
    standing AS MATERIALIZED (
      SELECT a.id FROM alerts a JOIN incident i USING (dedupe_key)
      WHERE a.tenant_id = ${p.tenant_id} AND a.gone_at IS NULL AND ${isDue(p.now)}
      ORDER BY a.dedupe_key FOR UPDATE OF a
    ),
    alert AS (
      UPDATE alerts a SET last_notified_at = ${p.now}, snoozed_until = NULL
      FROM standing s
      WHERE a.tenant_id = ${p.tenant_id} AND a.id = s.id
      RETURNING a.dedupe_key AS incident, a.id, false AS opened, true AS notifies,
                a.id || ':r' || (extract(epoch FROM ${p.now}) * 1000)::bigint AS dedupe_key
    )`,
);

/** Without an alert. */
export const ANNOUNCE = statement(
  () => `
    alert AS (
      SELECT dedupe_key AS incident, NULL::uuid AS id, false AS opened, true AS notifies, dedupe_key FROM incident)`,
);

/**
 * Ends the incidents of these sources, in order of their keys. $1 tenant id, $2 source type, $3 source ids, $4 now
 */
export const END = `
  UPDATE alerts a SET gone_at = $4, state = 'resolved', resolved_at = coalesce(resolved_at, $4)
  FROM (SELECT id FROM alerts
        WHERE tenant_id = $1 AND source_type = $2 AND source_id = ANY ($3::uuid[]) AND gone_at IS NULL
        ORDER BY dedupe_key FOR UPDATE) l
  WHERE a.tenant_id = $1 AND a.id = l.id
  RETURNING a.id, a.source_id, a.dedupe_key, a.kind, a.data, a.first_seen_at`;
