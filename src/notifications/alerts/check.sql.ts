import { Outbox } from '../../delivery/outbox.js';
import { prepared, type PreparedStatement } from '../../platform/database/transaction.js';
import {
  type Announcement,
  announcement,
  type AnnouncementParameters,
  announceSql,
} from '../announcement.js';
import { responsibleOrAdminsSql } from '../audience.js';
import { silentSql, silentUntilSql } from './silence.sql.js';
import type { FactParameters, WatchedKind } from './watched.js';

/** The result of `compareStatement`. */
export interface Comparison {
  /** Facts that hold. */
  facts: number;
  /** Facts without an alert, and alerts to announce again. */
  news: number;
  gone_ids: string[];
}

/** The result of `newsStatement`. */
export interface News {
  opened: number;
  staged: number;
  notifications: number;
  deliveries: number;
  user_ids: string[];
}

/**
 * Compares the facts of a kind with the tenant's open alerts. Only reads.
 * CTEs: `<kind>_facts`, `<kind>_standing`, and `<kind>_compared`: the facts, each with its alert (`alert_id`, null:
 * none) and whether that is to be announced again (`again`): it has reached a later stage, or its snooze has ended. An
 * alert that somebody takes care of keeps its stage: if that is undone, the stage that it has then reached is announced.
 * A check runs over every alert, so the condition is written to cost nothing for those without a mark.
 */
function comparisonSql({ kind, factsSql }: WatchedKind, p: FactParameters & { now: string }): string {
  return `
    ${kind}_facts AS (${factsSql(p)}),
    ${kind}_standing AS (
      SELECT id, dedupe_key, stage, last_seen_at, ${silentUntilSql('a')} AS silent_until
      FROM alerts a WHERE tenant_id = ${p.tenant_id} AND kind = '${kind}' AND gone_at IS NULL
    ),
    ${kind}_compared AS (
      SELECT f.*, s.id AS alert_id, s.last_seen_at, s.stage AS announced_stage, s.silent_until,
             coalesce(f.stage < s.stage AND s.silent_until IS NULL OR s.silent_until <= ${p.now}, false) AS again
      FROM ${kind}_facts f LEFT JOIN ${kind}_standing s USING (dedupe_key)
    )`;
}

/**
 * The first half of a check, and usually all of it: ends alerts whose fact no longer holds, and counts known ones. It
 * renders no text, and builds `data` only for facts whose contents have changed.
 * Parameters: $1 tenant id, $2 today (civil date), $3 stages, $4 now.
 */
export function compareStatement(watched: WatchedKind): PreparedStatement {
  const { kind, dataSql } = watched;
  const p = { tenant_id: '$1::uuid', today: '$2::date', stages: '$3::int[]', now: '$4::timestamptz' };
  return prepared(`
    WITH ${comparisonSql(watched, p)},
    -- NOT IN is answered from a hash of all facts; for NOT EXISTS the planner compared each alert with each fact.
    ended AS MATERIALIZED (
      SELECT id FROM ${kind}_standing WHERE dedupe_key NOT IN (SELECT dedupe_key FROM ${kind}_facts)
    ),
    gone AS (
      UPDATE alerts a SET gone_at = $4, state = 'resolved', resolved_at = coalesce(a.resolved_at, $4)
      FROM ended e WHERE a.tenant_id = $1 AND a.id = e.id
      RETURNING a.id
    ),
    counted AS (
      UPDATE alerts a
      SET occurrences = a.occurrences + 1, last_seen_at = $4, severity = f.severity,
          data = CASE WHEN f.changed_at >= f.last_seen_at THEN ${dataSql} ELSE a.data END
      FROM ${kind}_compared f
      WHERE a.tenant_id = $1 AND a.id = f.alert_id AND NOT f.again
      RETURNING a.id
    )
    SELECT (SELECT count(*) FROM ${kind}_facts) AS facts,
           (SELECT count(*) FROM ${kind}_compared WHERE alert_id IS NULL OR again) AS news,
           coalesce((SELECT array_agg(id) FROM gone), '{}') AS gone_ids`);
}

/** `stages`: an array for each kind, by its name. */
export type NewsParameters = 'today' | 'stages';

/**
 * The second half: opens the alerts of new facts, moves others to their later stage, and announces both. One statement
 * for all kinds: the findings of a check are due at the same instant and leave as one message, and the inboxes are
 * locked once. A resolved alert is counted but not announced. The key of an announcement is the fact and its stage, not
 * the alert: a sent one is not re-sent if the item changes and changes back.
 */
export function newsStatement(kinds: readonly WatchedKind[]): Announcement<NewsParameters> {
  return announcement(
    { today: 'date', stages: 'jsonb' },
    (p) => `
    WITH ${kinds.map((watched) => newsSql(watched, p)).join(',')},
    news AS (
      SELECT * FROM (${kinds.map(({ kind }) => `SELECT * FROM ${kind}_news`).join(' UNION ALL ')}) n
      WHERE announces
    ),
    audience AS (
      SELECT r.user_id, r.id AS alert_id, NULL::text AS created_by, r.dedupe_key || ':' || r.stage || r.woken AS dedupe_key,
             r.kind, r.severity, r.data, r.audience
      FROM (${responsibleOrAdminsSql('news', p.tenant_id)}) r
    ),
    ${Outbox.supersededSql('SELECT id FROM news WHERE again', p)},
    ${announceSql(p, { again: true })}
    SELECT (SELECT count(*) FROM news WHERE NOT again) AS opened,
           (SELECT count(*) FROM news WHERE again) AS staged,
           (SELECT count(*) FROM created) AS notifications,
           (SELECT count(*) FROM delivered) AS deliveries,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created), '{}') AS user_ids`,
  );
}

/**
 * Part of the key of an announcement after a snooze: its stage was announced before. A later stage was not, and has the
 * key that it would have without the snooze.
 */
const WOKEN = `':s' || (extract(epoch FROM f.silent_until) * 1000)::bigint`;

/** The CTE `<kind>_news`: the new and later facts of one kind, written to its alerts; `again` if the alert existed. */
function newsSql(watched: WatchedKind, p: AnnouncementParameters<NewsParameters>): string {
  const { kind, source_type, dataSql } = watched;
  const { tenant_id, now, today } = p;
  // Somebody may take care of it while the statement waits for the row: read again, from the row that is updated.
  const silent = silentSql('a', now);
  const stages = `ARRAY(SELECT s::int FROM jsonb_array_elements_text(${p.stages} -> '${kind}') s)`;
  return `
    ${comparisonSql(watched, { tenant_id, today, stages, now })},
    -- The advisory lock keeps others from opening them meanwhile; the unique index would refuse a second one.
    ${kind}_opened AS (
      INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, stage, data,
                          first_seen_at, last_seen_at)
      SELECT ${tenant_id}, '${kind}', f.severity, '${source_type}', f.source_id, f.dedupe_key, f.stage,
             ${dataSql}, ${now}, ${now}
      FROM ${kind}_compared f WHERE f.alert_id IS NULL
      RETURNING id, kind, dedupe_key, stage, severity, data, true AS announces, '' AS woken
    ),
    ${kind}_staged AS (
      UPDATE alerts a
      SET occurrences = a.occurrences + 1, last_seen_at = ${now}, severity = f.severity, data = ${dataSql},
          stage = CASE WHEN ${silent} THEN a.stage ELSE f.stage END,
          snoozed_until = CASE WHEN ${silent} THEN a.snoozed_until END
      FROM ${kind}_compared f
      WHERE a.tenant_id = ${tenant_id} AND a.id = f.alert_id AND f.again
      RETURNING a.id, a.kind, a.dedupe_key, a.stage, a.severity, a.data, a.state = 'open' AND NOT ${silent},
                CASE WHEN f.stage < f.announced_stage THEN '' ELSE ${WOKEN} END
    ),
    ${kind}_news AS (
      SELECT n.*, f.responsible_id
      FROM (SELECT *, false AS again FROM ${kind}_opened UNION ALL SELECT *, true FROM ${kind}_staged) n
      JOIN ${kind}_facts f USING (dedupe_key)
    )`;
}
