import { DOUBTS } from '../../contracts/backups.js';

/** Whether the warnings of an entry or a job are doubts, as an SQL expression. @param row the name of its table */
export function doubtfulSql(row: string): string {
  return `${row}.warnings && '{${DOUBTS.join(',')}}'::text[]`;
}

/**
 * Sets the status of jobs from their newest entry that has a verdict. Parameters: $1 tenant id, $2 job ids. Index:
 * backup_entries_history.
 */
export const REFRESH_JOBS = `
  UPDATE backup_jobs j
  SET status = newest.verdict,
      status_since = CASE WHEN j.status = newest.verdict AND (${doubtfulSql('j')}) = (${doubtfulSql('newest')})
                          THEN j.status_since ELSE newest.effective_at END,
      warnings = newest.warnings,
      last_success_at = newest.last_success_at, last_failure_at = newest.last_failure_at
  FROM backup_jobs k
  CROSS JOIN LATERAL (
    SELECT e.verdict, e.effective_at, e.warnings,
           (SELECT max(s.effective_at) FROM backup_entries s
            WHERE s.tenant_id = $1 AND s.agent_id = k.agent_id AND s.database_name = k.database_name
              AND s.job_id = k.id AND s.verdict = 'SUCCESS' AND NOT ${doubtfulSql('s')}) AS last_success_at,
           (SELECT max(f.effective_at) FROM backup_entries f
            WHERE f.tenant_id = $1 AND f.agent_id = k.agent_id AND f.database_name = k.database_name
              AND f.job_id = k.id AND f.verdict <> 'SUCCESS') AS last_failure_at
    FROM backup_entries e
    WHERE e.tenant_id = $1 AND e.agent_id = k.agent_id AND e.database_name = k.database_name
      AND e.job_id = k.id AND e.verdict IS NOT NULL
    ORDER BY e.effective_at DESC, e.id DESC LIMIT 1
  ) newest
  WHERE k.tenant_id = $1 AND k.id = ANY ($2::uuid[]) AND j.tenant_id = $1 AND j.id = k.id`;

/**
 * The status that follows from some entries, for each agent and database, as an SQL query: `agent_id, database_name,
 * status, status_since, warnings, last_checked_at, last_success_at, last_failure_at`.
 * @param entries a table of `id, agent_id, database_name, verdict, warnings, effective_at, evaluated_at` without
 *   `status`
 */
export function standingSql(entries: string): string {
  const newestFirst = `WINDOW newest_first AS (PARTITION BY agent_id, database_name ORDER BY effective_at DESC, id DESC)`;
  return `
    SELECT agent_id, database_name, status, standing_warnings AS warnings, min(effective_at) FILTER (WHERE others = 0) AS status_since,
           max(evaluated_at) AS last_checked_at,
           max(effective_at) FILTER (WHERE verdict = 'SUCCESS' AND NOT ${doubtfulSql('counted')}) AS last_success_at,
           max(effective_at) FILTER (WHERE verdict <> 'SUCCESS') AS last_failure_at
    FROM (
      -- How many entries that are not older have another verdict: none since the status began.
      SELECT *, count(*) FILTER (WHERE verdict <> status
                                   OR (${doubtfulSql('evaluated')}) <> (standing_warnings && '{${DOUBTS.join(',')}}'::text[]))
                OVER newest_first AS others
      FROM (SELECT *, first_value(verdict) OVER newest_first AS status,
                   first_value(warnings) OVER newest_first AS standing_warnings FROM ${entries} WHERE verdict IS NOT NULL
            ${newestFirst}) evaluated
      ${newestFirst}
    ) counted
    GROUP BY agent_id, database_name, status, standing_warnings`;
}

/**
 * When a job was last checked, as an SQL expression: by a scan of its tenant since the job was created, or by an
 * earlier one.
 * @param job the name of the job's table in the statement
 */
export function lastCheckedSql(job: string): string {
  return `greatest(${job}.last_checked_at, (SELECT s.checked_at FROM backup_scans s
    WHERE s.tenant_id = ${job}.tenant_id AND s.checked_at >= ${job}.created_at))`;
}
