import { Outbox } from '../../delivery/outbox.js';
import {
  type Announcement,
  announcement,
  type AnnouncementParameters,
  announceSql,
} from '../announcement.js';
import { alertRecipientsSql } from '../audience.js';

/** Parameters of all: the incident or message, and the address of last resort (or null). */
export type IncidentParameters = 'incident' | 'fallback';
type Parameters = AnnouncementParameters<IncidentParameters>;

/**
 * @param alert CTEs that end with `alert (id, opened, notifies, dedupe_key)`, of at most one row: its key is the
 * notifications'. Those of an incident that goes on replace what is still pending of it.
 */
function statement(alert: (p: Parameters) => string): Announcement<IncidentParameters> {
  return announcement(
    { incident: 'jsonb', fallback: 'text' },
    (p) => `
    WITH incident AS (
      SELECT * FROM jsonb_to_record(${p.incident}) AS i (kind text, source_type text, source_id uuid,
        dedupe_key text, severity text, data jsonb, repeat_before timestamptz)
    ),
    ${alertRecipientsSql(p.tenant_id, p.fallback)},
    ${alert(p)},
    audience AS (
      SELECT r.user_id, coalesce('user:' || r.user_id, 'mailto:' || lower(r.address)) AS recipient, r.address,
             CASE WHEN r.user_id IS NULL THEN 'email' END AS channel, a.id AS alert_id, NULL::text AS created_by,
             a.dedupe_key, i.kind, i.severity, i.data, 'alert_recipient' AS audience, ${p.now} AS due_at
      FROM alert a CROSS JOIN incident i CROSS JOIN recipients r
      WHERE a.notifies
    ),
    ${Outbox.supersededSql('SELECT id FROM alert WHERE notifies AND NOT opened', p)},
    ${announceSql(p, { addressed: true })}
    SELECT a.id AS alert_id, a.opened, a.notifies, (SELECT count(*) FROM recipients) AS recipients,
           (SELECT count(*) FROM created) AS notified, (SELECT count(*) FROM delivered) AS deliveries,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created WHERE user_id IS NOT NULL), '{}') AS user_ids
    FROM alert a`,
  );
}

/** Whether the alert `a` may be announced again by the incident `i`. */
const IS_DUE = `a.state = 'open' AND coalesce(a.last_notified_at <= i.repeat_before, false)`;

/**
 * Opens the alert or counts it. `standing` waits for others that do the same, and decides by the row as they left
 * it; where two open it at once, the insert counts the second.
 */
export const RAISE = statement(
  (p) => `
    standing AS (
      SELECT a.id, ${IS_DUE} AS due
      FROM alerts a JOIN incident i USING (dedupe_key)
      WHERE a.tenant_id = ${p.tenant_id} AND a.gone_at IS NULL
      FOR UPDATE OF a
    ),
    seen AS (
      INSERT INTO alerts AS a (tenant_id, kind, severity, source_type, source_id, dedupe_key, data,
                               first_seen_at, last_seen_at, last_notified_at)
      SELECT ${p.tenant_id}, i.kind, i.severity, i.source_type, i.source_id, i.dedupe_key, i.data,
             ${p.now}, ${p.now}, ${p.now}
      FROM incident i LEFT JOIN standing s ON true
      ON CONFLICT (tenant_id, dedupe_key) WHERE gone_at IS NULL DO UPDATE
        SET occurrences = a.occurrences + 1, last_seen_at = excluded.last_seen_at, data = excluded.data,
            severity = excluded.severity,
            last_notified_at = CASE WHEN (SELECT due FROM standing) THEN excluded.last_notified_at
                                    ELSE a.last_notified_at END
      RETURNING id, occurrences
    ),
    alert AS (
      SELECT id, occurrences = 1 AS opened, occurrences = 1 OR coalesce((SELECT due FROM standing), false) AS notifies,
             id || ':' || occurrences AS dedupe_key
      FROM seen
    )`,
);

/** Several that remind at the same time notify once. */
export const REMIND = statement(
  (p) => `
    alert AS (
      UPDATE alerts a SET last_notified_at = ${p.now}
      FROM incident i
      WHERE a.tenant_id = ${p.tenant_id} AND a.dedupe_key = i.dedupe_key AND a.gone_at IS NULL AND ${IS_DUE}
      RETURNING a.id, false AS opened, true AS notifies,
                a.id || ':r' || (extract(epoch FROM ${p.now}) * 1000)::bigint AS dedupe_key
    )`,
);

/** Without an alert. */
export const ANNOUNCE = statement(
  () => `
    alert AS (SELECT NULL::uuid AS id, false AS opened, true AS notifies, dedupe_key FROM incident)`,
);
