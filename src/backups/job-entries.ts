import type { TenantTransaction } from '../platform/database/transaction.js';

/**
 * Held by who creates or deletes jobs (`exclusive`), and by who writes entries for jobs that it has just read
 * (`shared`), to the end of the transaction: no entry then comes to lie beside a new job, or under one that is gone.
 * It is taken before any other lock of backups.
 */
export async function lockJobs(tx: TenantTransaction, how: 'exclusive' | 'shared'): Promise<void> {
  await tx.query(
    `SELECT ${how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'}(hashtextextended($1, 0))`,
    [`backup-jobs:${tx.tenant_id}`],
  );
}

/**
 * Gives jobs the entries of their agent and database that nobody had expected, and the status that follows from
 * them. Nobody is told of what is past.
 */
export async function adoptEntries(
  tx: TenantTransaction,
  jobIds: readonly string[],
  now: Date,
): Promise<void> {
  if (jobIds.length > 0) await tx.execute(ADOPT, [tx.tenant_id, jobIds, now]);
}

// $1 tenant id, $2 job ids, $3 now.
const ADOPT = `
  WITH adopted AS (
    UPDATE backup_entries e
    SET job_id = j.id, announced_at = CASE WHEN e.verdict IS NULL THEN e.announced_at
                                           ELSE coalesce(e.announced_at, $3) END
    FROM backup_jobs j
    WHERE j.tenant_id = $1 AND j.id = ANY ($2::uuid[]) AND e.tenant_id = $1 AND e.agent_id = j.agent_id
      AND e.database_name = j.database_name AND e.job_id IS NULL
    RETURNING e.job_id, e.id, e.verdict, e.effective_at, e.evaluated_at
  ),
  evaluated AS (
    SELECT *, first_value(verdict) OVER newest_first AS status FROM adopted WHERE verdict IS NOT NULL
    WINDOW newest_first AS (PARTITION BY job_id ORDER BY effective_at DESC, id DESC)
  ),
  -- How many of those that are not older say something else: none, for as long as it has this status.
  counted AS (
    SELECT *, count(*) FILTER (WHERE verdict <> status) OVER newest_first AS others FROM evaluated
    WINDOW newest_first AS (PARTITION BY job_id ORDER BY effective_at DESC, id DESC)
  ),
  known AS (
    SELECT job_id, status, min(effective_at) FILTER (WHERE others = 0) AS status_since,
           max(evaluated_at) AS last_checked_at,
           max(effective_at) FILTER (WHERE verdict = 'SUCCESS') AS last_success_at,
           max(effective_at) FILTER (WHERE verdict <> 'SUCCESS') AS last_failure_at
    FROM counted GROUP BY job_id, status
  )
  UPDATE backup_jobs j
  SET status = k.status, status_since = k.status_since, last_checked_at = k.last_checked_at,
      last_success_at = k.last_success_at, last_failure_at = k.last_failure_at
  FROM known k WHERE j.tenant_id = $1 AND j.id = k.job_id`;
