import { Outbox } from '../../delivery/outbox.js';
import { prepared, type PreparedStatement } from '../../platform/database/transaction.js';
import { type Announcement, announcement, announceSql } from '../announcement.js';
import { responsibleOrAdminsSql } from '../audience.js';
import type { FactParameters, WatchedKind } from './watched.js';

/** What `compareStatement` returns. */
export interface Comparison {
  /** Facts that hold. */
  facts: number;
  /** Facts without an alert, and alerts that reached a later stage. */
  news: number;
  gone_ids: string[];
}

/** What `newsStatement` returns. */
export interface News {
  opened: number;
  staged: number;
  notifications: number;
  deliveries: number;
  user_ids: string[];
}

/**
 * Compares the facts of a kind with the tenant's standing alerts. Reads only.
 * CTEs: `facts`, `standing`, and `compared`: the facts, with the alert of each (`alert_id`, null: none) and whether
 * it has reached a later stage (`later`).
 */
function comparisonSql({ kind, factsSql }: WatchedKind, p: FactParameters): string {
  return `
    facts AS (${factsSql(p)}),
    standing AS (
      SELECT id, dedupe_key, stage, last_seen_at FROM alerts
      WHERE tenant_id = ${p.tenant_id} AND kind = '${kind}' AND gone_at IS NULL
    ),
    compared AS (
      SELECT f.*, s.id AS alert_id, s.last_seen_at, coalesce(f.stage < s.stage, false) AS later
      FROM facts f LEFT JOIN standing s USING (dedupe_key)
    )`;
}

/**
 * The first half of a check, and the whole of most: ends alerts whose fact no longer holds, and counts those that
 * are known. Facts are worded nowhere, and their `data` is built only where their contents have changed.
 * Parameters: $1 tenant id, $2 today (civil date), $3 stages, $4 now.
 */
export function compareStatement(watched: WatchedKind): PreparedStatement {
  const p = { tenant_id: '$1::uuid', today: '$2::date', stages: '$3::int[]' };
  return prepared(`
    WITH ${comparisonSql(watched, p)},
    gone AS (
      UPDATE alerts a SET gone_at = $4, state = 'resolved', resolved_at = coalesce(a.resolved_at, $4)
      FROM standing s
      WHERE a.tenant_id = $1 AND a.id = s.id
        AND NOT EXISTS (SELECT FROM facts f WHERE f.dedupe_key = s.dedupe_key)
      RETURNING a.id
    ),
    counted AS (
      UPDATE alerts a
      SET occurrences = a.occurrences + 1, last_seen_at = $4, severity = f.severity,
          data = CASE WHEN f.changed_at >= f.last_seen_at THEN ${watched.dataSql} ELSE a.data END
      FROM compared f
      WHERE a.tenant_id = $1 AND a.id = f.alert_id AND NOT f.later
      RETURNING a.id
    )
    SELECT (SELECT count(*) FROM facts) AS facts,
           (SELECT count(*) FROM compared WHERE alert_id IS NULL OR later) AS news,
           coalesce((SELECT array_agg(id) FROM gone), '{}') AS gone_ids`);
}

export type NewsParameters = 'today' | 'stages';

/**
 * The second half: opens the alerts of new facts, moves others to their later stage, and announces both. An alert
 * that somebody resolved is counted but not announced. The key of an announcement is the fact and its stage, not
 * the alert: what was sent is not sent again when the item changes and changes back.
 */
export function newsStatement(watched: WatchedKind): Announcement<NewsParameters> {
  const { kind, source_type, dataSql } = watched;
  return announcement(
    { today: 'date', stages: 'int[]' },
    (p) => `
    WITH ${comparisonSql(watched, p)},
    -- The advisory lock keeps others from opening them meanwhile; the unique index would refuse a second one.
    opened AS (
      INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, stage, data,
                          first_seen_at, last_seen_at)
      SELECT ${p.tenant_id}, '${kind}', f.severity, '${source_type}', f.source_id, f.dedupe_key, f.stage,
             ${dataSql}, ${p.now}, ${p.now}
      FROM compared f WHERE f.alert_id IS NULL
      RETURNING id, dedupe_key, stage, severity, data
    ),
    staged AS (
      UPDATE alerts a
      SET occurrences = a.occurrences + 1, last_seen_at = ${p.now}, severity = f.severity, stage = f.stage,
          data = ${dataSql}
      FROM compared f
      WHERE a.tenant_id = ${p.tenant_id} AND a.id = f.alert_id AND f.later
      RETURNING a.id, a.dedupe_key, a.stage, a.severity, a.data, a.state
    ),
    news AS (
      SELECT n.*, f.responsible_id
      FROM (
        SELECT id, dedupe_key, stage, severity, data FROM opened
        UNION ALL
        SELECT id, dedupe_key, stage, severity, data FROM staged WHERE state = 'open') n
      JOIN facts f USING (dedupe_key)
    ),
    audience AS (
      SELECT r.user_id, r.id AS alert_id, NULL::text AS created_by, r.dedupe_key || ':' || r.stage AS dedupe_key,
             '${kind}' AS kind, r.severity, r.data, r.audience
      FROM (${responsibleOrAdminsSql('news', p.tenant_id)}) r
    ),
    ${Outbox.supersededSql(`SELECT id FROM staged WHERE state = 'open'`, p)},
    ${announceSql(p, { again: true })}
    SELECT (SELECT count(*) FROM opened) AS opened,
           (SELECT count(*) FROM staged WHERE state = 'open') AS staged,
           (SELECT count(*) FROM created) AS notifications,
           (SELECT count(*) FROM delivered) AS deliveries,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created), '{}') AS user_ids`,
  );
}
