import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type ExpectedHours, nearestExpected } from './expected-times.js';
import { standingSql } from './job-status.sql.js';

/**
 * Gives new jobs the unexpected entries of their agent and database, and updates their status. It announces nothing:
 * these entries are past. A backup that came early counts for the first expected time.
 */
export async function adoptEntries(
  tx: TenantTransaction,
  jobIds: readonly string[],
  now: Date,
): Promise<void> {
  if (jobIds.length === 0) return;
  await tx.execute(ADOPT, [tx.tenant_id, jobIds, now]);
  const recent = await tx.query<RecentEntry>(RECENT, [tx.tenant_id, jobIds, now]);
  const counting = recent.flatMap(({ id, effective_at, time_zone, ...hours }) => {
    const expected = nearestExpected(hours, time_zone, effective_at);
    return expected === null || expected.expected_at <= now ? [] : [{ id, ...expected }];
  });
  if (counting.length > 0) await tx.execute(COUNT_FOR, [tx.tenant_id, JSON.stringify(counting)]);
}

interface RecentEntry extends ExpectedHours {
  id: string;
  effective_at: Date;
  time_zone: string;
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
    RETURNING e.id, e.agent_id, e.database_name, e.verdict, e.warnings, e.effective_at, e.evaluated_at
  )
  UPDATE backup_jobs j
  SET status = k.status, warnings = k.warnings, status_since = k.status_since, last_checked_at = k.last_checked_at,
      last_success_at = k.last_success_at, last_failure_at = k.last_failure_at
  FROM (${standingSql('adopted')}) k
  WHERE j.tenant_id = $1 AND j.agent_id = k.agent_id AND j.database_name = k.database_name`;

// Same parameters. Two expected times are 14 days apart at most, and an entry counts for the nearer one.
const RECENT = `
  SELECT e.id, e.effective_at, j.expected_time, j.days_of_week, t.time_zone
  FROM backup_entries e
  JOIN backup_jobs j ON j.tenant_id = $1 AND j.id = e.job_id
  JOIN tenants t ON t.id = $1
  WHERE e.tenant_id = $1 AND e.job_id = ANY ($2::uuid[]) AND e.report_id IS NOT NULL AND e.expected_on IS NULL
    AND e.effective_at > $3::timestamptz - interval '7 days'`;

// $1 tenant id, $2 which entry counts for which expected time.
const COUNT_FOR = `
  UPDATE backup_entries e SET expected_on = c.expected_on, expected_at = c.expected_at
  FROM jsonb_to_recordset($2::jsonb) AS c (id uuid, expected_on date, expected_at timestamptz)
  WHERE e.tenant_id = $1 AND e.id = c.id`;
