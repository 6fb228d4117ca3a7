/** Databases without a job are not announced. $1 tenant id, $2 now */
export const MARK_JOBLESS = `
  UPDATE backup_entries SET announced_at = $2
  WHERE tenant_id = $1 AND announced_at IS NULL AND verdict IS NOT NULL AND job_id IS NULL`;

/** $1 tenant id, $2 the id to go on after (or null), $3 how many */
export const JOBS_UNANNOUNCED = `
  SELECT DISTINCT job_id FROM backup_entries
  WHERE tenant_id = $1 AND announced_at IS NULL AND verdict IS NOT NULL
    AND job_id IS NOT NULL AND ($2::uuid IS NULL OR job_id > $2)
  ORDER BY job_id LIMIT $3`;

/** The same parameters. */
export const JOBS_FAILING = `
  SELECT id AS job_id FROM backup_jobs
  WHERE tenant_id = $1 AND status NOT IN ('unknown', 'SUCCESS') AND ($2::uuid IS NULL OR id > $2)
  ORDER BY id LIMIT $3`;

/** $1 tenant id, $2 job id */
export const LOCK_JOB = 'SELECT FROM backup_jobs WHERE tenant_id = $1 AND id = $2 FOR UPDATE';

/** $1 tenant id, $2 job id */
export const NEWEST_ENTRY = `
  SELECT e.id, e.effective_at, e.announced_at IS NOT NULL AS announced
  FROM backup_jobs j
  JOIN backup_entries e ON e.tenant_id = j.tenant_id AND e.agent_id = j.agent_id
                       AND e.database_name = j.database_name AND e.job_id = j.id
  WHERE j.tenant_id = $1 AND j.id = $2 AND e.verdict IS NOT NULL
  ORDER BY e.effective_at DESC, e.id DESC LIMIT 1`;

/**
 * Marks what was announced, and what is older. A newer verdict is left to the next call.
 * $1 tenant id, $2 job id, $3 and $4 the newest entry's time and id, $5 now
 */
export const MARK_ANNOUNCED = `
  UPDATE backup_entries SET announced_at = $5
  WHERE tenant_id = $1 AND job_id = $2 AND announced_at IS NULL AND verdict IS NOT NULL
    AND (effective_at, id) <= ($3::timestamptz, $4::uuid)`;
