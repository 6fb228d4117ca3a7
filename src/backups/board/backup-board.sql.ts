import { ALERT_STATES } from '../../notifications/alerts/alerts.dto.js';
import { alertStateSql } from '../../notifications/alerts/silence.sql.js';
import { agentSourceSql } from '../alerts/agents.sql.js';
import { doubtfulSql, lastCheckedSql, standingSql } from '../jobs/job-status.sql.js';
import { MEDIAN_OF } from '../scan/size-history.js';
import { DOUBTFUL, RESULT_LETTERS, WAITING } from './result-letters.js';

/**
 * All rows of the board that match, as CTEs of a statement: expected databases, and those that agents reported in the
 * last 30 days. Parameters: $1 tenant id, $2 now, $3 agent, $4 city, $5 part of a name, $10 job, $11 database (each of
 * $3 to $5, $10 and $11 may be null).
 */
const MATCHING = `
  strays AS (
    SELECT e.id, e.agent_id, e.database_name, e.company_name, e.city, e.neighborhood, e.verdict, e.warnings,
           e.effective_at, e.evaluated_at
    FROM backup_entries e
    WHERE e.tenant_id = $1 AND e.job_id IS NULL AND e.report_id IS NOT NULL
      AND e.effective_at > $2::timestamptz - interval '30 days'
  ),
  unexpected AS (
    SELECT DISTINCT ON (agent_id, database_name) agent_id, database_name, company_name, city, neighborhood
    FROM strays ORDER BY agent_id, database_name, effective_at DESC, id DESC
  ),
  board AS (
    SELECT id AS job_id, agent_id, database_name, company_name, city, neighborhood, expected_time, days_of_week,
           sizes_from, status AS verdict, warnings, status_since AS since, last_success_at, last_failure_at,
           ${lastCheckedSql('backup_jobs')} AS last_checked_at
    FROM backup_jobs WHERE tenant_id = $1
    UNION ALL
    SELECT NULL, u.agent_id, u.database_name, u.company_name, u.city, u.neighborhood, NULL, NULL, NULL,
           coalesce(k.status, 'unknown'), coalesce(k.warnings, '{}'), k.status_since, k.last_success_at, k.last_failure_at, k.last_checked_at
    FROM unexpected u LEFT JOIN (${standingSql('strays')}) k USING (agent_id, database_name)
  ),
  matching AS MATERIALIZED (
    SELECT * FROM board
    WHERE ($3::text IS NULL OR agent_id = $3) AND ($4::text IS NULL OR lower(city) = lower($4))
      AND ($5::text IS NULL OR ${containsSql('$5')})
      AND ($10::uuid IS NULL OR job_id = $10) AND ($11::text IS NULL OR database_name = $11)
  )`;

/** The rows of a page. Parameters: $6 verdict, $7 and $8 agent and database of the last row before it, $9 limit. */
const PAGE = `
    SELECT * FROM matching
    WHERE ($6::text IS NULL OR verdict = $6)
      AND ($7::text IS NULL OR (agent_id, database_name) > ($7, $8::text))
    ORDER BY agent_id, database_name LIMIT $9`;

/**
 * A page of the board, with the counts of all rows that match. An empty page has its counts in a row whose `agent_id`
 * is null.
 * Parameters: $1 tenant id, $2 now, $3 agent, $4 city, $5 part of a name, $6 verdict, $7 and $8 agent and database of
 * the last row of the previous page (each of $3 to $8 may be null), $9 limit, $10 job, $11 database (may be null).
 */
export const BOARD = `
  WITH ${MATCHING},
  counts AS (
    SELECT coalesce(jsonb_object_agg(verdict, rows), '{}') AS counts
    FROM (SELECT verdict, count(*) AS rows FROM matching GROUP BY verdict) counted
  ),
  page AS (${PAGE})
  SELECT c.counts, t.time_zone,
         coalesce((SELECT s.ignored_folders FROM backup_scans s WHERE s.tenant_id = $1), '{}') AS ignored_folders, p.*, waiting.waiting, incidents.incidents, results.results
  FROM tenants t CROSS JOIN counts c LEFT JOIN page p ON true
  CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS waiting FROM backup_entries e
    WHERE e.tenant_id = $1 AND e.agent_id = p.agent_id AND e.database_name = p.database_name
      AND e.settled_at IS NULL AND e.verdict IS NULL
  ) waiting
  CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('id', a.id, 'verdict', split_part(a.dedupe_key, ':', 3),
                                      'warning', nullif(split_part(a.dedupe_key, ':', 4), ''), 'state', ${alertStateSql('a', '$2::timestamptz')},
                                        'occurrences', a.occurrences, 'first_seen_at', a.first_seen_at)
                     ORDER BY a.first_seen_at, a.id) AS incidents
    FROM alerts a
    WHERE a.tenant_id = $1 AND a.gone_at IS NULL
      AND (a.source_type = 'backup_job' AND a.source_id = p.job_id AND a.kind = 'backup_alert'
           -- A silent agent has one alert for all its databases.
           OR a.source_type = 'backup_agent' AND a.source_id = ${agentSourceSql('p.agent_id')}
              AND p.job_id IS NOT NULL AND p.verdict = 'MISSING')
  ) incidents
  CROSS JOIN LATERAL (
    SELECT json_agg(last ORDER BY last.effective_at DESC, last.id DESC) AS results
    FROM (
      SELECT e.id, e.verdict, e.reason, e.warnings, e.expected_at, e.effective_at, e.evaluated_at FROM backup_entries e
      WHERE e.tenant_id = $1 AND e.agent_id = p.agent_id AND e.database_name = p.database_name
      ORDER BY e.effective_at DESC, e.id DESC LIMIT 30
    ) last
  ) results
  WHERE t.id = $1
  ORDER BY p.agent_id, p.database_name`;

/** The most urgent state is first. */
const STATES = `ARRAY['${ALERT_STATES.join("', '")}']`;

/**
 * A page of the board without the details: one letter for each of the last 30 results, the oldest first; the
 * sizes of the newest backup and of the good ones before it, as `shrunk` compares them; and who acknowledged
 * its alert. Takes the same parameters.
 */
export const BARS = `
  WITH ${MATCHING},
  page AS MATERIALIZED (${PAGE}),
  incidents AS (
    SELECT a.source_type, a.source_id,
           min(array_position(${STATES}, ${alertStateSql('a', '$2::timestamptz')})) AS standing,
           min(u.name) AS acknowledged_by
    FROM alerts a LEFT JOIN users u ON u.tenant_id = a.tenant_id AND u.id = a.acknowledged_by
    WHERE a.tenant_id = $1 AND a.kind = 'backup_alert' AND a.gone_at IS NULL
    GROUP BY a.source_type, a.source_id
  )
  SELECT p.job_id, p.agent_id, p.database_name, p.company_name, p.city, p.verdict, p.last_success_at, p.expected_time,
         p.days_of_week, t.time_zone, results.results, results.newest_size, results.good_sizes,
         (${STATES})[least(own.standing, agent.standing)] AS alert_state,
         coalesce(own.acknowledged_by, agent.acknowledged_by) AS acknowledged_by
  FROM tenants t JOIN page p ON true
  LEFT JOIN incidents own ON own.source_type = 'backup_job' AND own.source_id = p.job_id
  -- A silent agent has one alert for all its databases.
  LEFT JOIN incidents agent ON agent.source_type = 'backup_agent' AND agent.source_id = ${agentSourceSql('p.agent_id')}
    AND p.job_id IS NOT NULL AND p.verdict = 'MISSING'
  CROSS JOIN LATERAL (
    SELECT letters AS results, sizes[1] AS newest_size,
           -- The newest one is not compared with itself.
           CASE WHEN newest = 'S' THEN good[2:${MEDIAN_OF + 1}] ELSE good[:${MEDIAN_OF}] END AS good_sizes
    FROM (
      -- All in the same order, so that PostgreSQL sorts once.
      SELECT coalesce(reverse(string_agg(letter, '' ORDER BY effective_at DESC, id DESC)), '') AS letters,
             array_agg(size ORDER BY effective_at DESC, id DESC) FILTER (WHERE stored) AS sizes,
             array_agg(size ORDER BY effective_at DESC, id DESC)
               FILTER (WHERE letter = 'S' AND stored AND effective_at > coalesce(p.sizes_from, '-infinity')) AS good,
             (array_agg(letter ORDER BY effective_at DESC, id DESC) FILTER (WHERE stored))[1] AS newest
      FROM (
        SELECT e.id, e.effective_at, e.server_size_bytes::float8 AS size,
               e.verdict = 'SUCCESS' AND e.server_size_bytes IS NOT NULL AS stored, ${letterSql('e')} AS letter
        FROM backup_entries e
        WHERE e.tenant_id = $1 AND e.agent_id = p.agent_id AND e.database_name = p.database_name
        ORDER BY e.effective_at DESC, e.id DESC LIMIT 30
      ) last
    ) gathered
  ) results
  WHERE t.id = $1
  ORDER BY p.agent_id, p.database_name`;

/** The letter of an entry's result, as an SQL expression. */
function letterSql(entry: string): string {
  const cases = Object.entries(RESULT_LETTERS).map(
    ([verdict, letter]) => `WHEN ${entry}.verdict = '${verdict}' THEN '${letter}'`,
  );
  const doubtful = `WHEN ${entry}.verdict = 'SUCCESS' AND (${doubtfulSql(entry)}) THEN '${DOUBTFUL}'`;
  return `CASE ${doubtful} ${cases.join(' ')} ELSE '${WAITING}' END`;
}

/** Whether the names of agent, database or company contain this text, as an SQL expression. */
export function containsSql(text: string): string {
  return `strpos(lower(concat_ws(chr(10), agent_id, database_name, company_name)), lower(${text})) > 0`;
}
