import { doubtfulSql } from '../jobs/job-status.sql.js';

/** Databases without a job are not announced. $1 tenant id, $2 now */
export const MARK_JOBLESS = `
  UPDATE backup_entries SET announced_at = $2
  WHERE tenant_id = $1 AND announced_at IS NULL AND verdict IS NOT NULL AND job_id IS NULL`;

/** $1 tenant id, $2 the last id of the previous page (or null), $3 limit */
export const JOBS_UNANNOUNCED = `
  SELECT DISTINCT job_id FROM backup_entries
  WHERE tenant_id = $1 AND announced_at IS NULL AND verdict IS NOT NULL
    AND job_id IS NOT NULL AND ($2::uuid IS NULL OR job_id > $2)
  ORDER BY job_id LIMIT $3`;

/** The same parameters. */
export const JOBS_FAILING = `
  SELECT id AS job_id FROM backup_jobs
  WHERE tenant_id = $1 AND (status NOT IN ('unknown', 'SUCCESS') OR ${doubtfulSql('backup_jobs')}) AND ($2::uuid IS NULL OR id > $2)
  ORDER BY id LIMIT $3`;

/** $1 tenant id, $2 job ids */
export const LOCK_JOBS =
  'SELECT FROM backup_jobs WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE';

/** The newest entry of each job that has one with a verdict. $1 tenant id, $2 job ids. Index: backup_entries_history */
export const NEWEST_ENTRIES = `
  SELECT j.id AS job_id, e.*
  FROM backup_jobs j
  CROSS JOIN LATERAL (
    SELECT e.id, e.effective_at, e.announced_at IS NOT NULL AS announced
    FROM backup_entries e
    WHERE e.tenant_id = j.tenant_id AND e.agent_id = j.agent_id AND e.database_name = j.database_name
      AND e.job_id = j.id AND e.verdict IS NOT NULL
    ORDER BY e.effective_at DESC, e.id DESC LIMIT 1) e
  WHERE j.tenant_id = $1 AND j.id = ANY ($2::uuid[])`;

/**
 * Marks the announced entries and all older ones. A newer verdict is left to the next call.
 * $1 tenant id, $2, $3 and $4: jobs, with the time and id of their newest entries, $5 now
 */
export const MARK_ANNOUNCED = `
  UPDATE backup_entries e SET announced_at = $5
  FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[]) AS newest (job_id, effective_at, id)
  WHERE e.tenant_id = $1 AND e.job_id = newest.job_id AND e.announced_at IS NULL AND e.verdict IS NOT NULL
    AND (e.effective_at, e.id) <= (newest.effective_at, newest.id)`;
