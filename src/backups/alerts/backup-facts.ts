import type { BackupFacts } from './backup-data.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { lastCheckedSql } from '../jobs/job-status.sql.js';

/**
 * All facts about these entries, by entry id. The expectation (agent, place, hour) comes from the job, the result from
 * the entry. Skips entries without a job or a verdict.
 * @param entryIds at most one page.
 */
export async function backupFacts(
  tx: TenantTransaction,
  entryIds: readonly string[],
): Promise<Map<string, BackupFacts>> {
  const rows = await tx.query<BackupFacts>(FACTS, [tx.tenant_id, entryIds]);
  return new Map(rows.map((facts) => [facts.entry_id, facts]));
}

const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

// $1 tenant id, $2 entry ids
const FACTS = `
  SELECT j.id AS job_id, e.id AS entry_id, e.verdict, e.reason, e.detail, e.warnings,
         e.agent_id, e.database_name, coalesce(j.company_name, e.company_name) AS company_name,
         coalesce(j.city, e.city) AS city, CASE WHEN j.id IS NULL THEN e.neighborhood ELSE j.neighborhood END AS neighborhood,
         j.expected_time, ${instant('e.expected_at')} AS expected_at,
         ${instant('coalesce(j.status_since, e.effective_at)')} AS status_since,
         ${instant(lastCheckedSql('j'))} AS last_checked_at,
         ${instant('j.last_success_at')} AS last_success_at,
         ${instant('j.last_failure_at')} AS last_failure_at,
         ${instant('e.operation_timestamp_utc')} AS operation_timestamp_utc,
         e.staged_file_name, e.hash_sha256, e.server_hash_sha256,
         lower(e.hash_sha256) = lower(e.server_hash_sha256) AS hashes_match,
         e.size_bytes, e.server_size_bytes, e.size_bytes = e.server_size_bytes AS sizes_match,
         e.compress_size_pre_compress, e.compress_size_post_compress,
         e.agent_transfer_process_status,
         ${instant('e.agent_transfer_process_start_time_utc')} AS agent_transfer_process_start_time_utc,
         ${instant('e.agent_transfer_process_timestamp_utc')} AS agent_transfer_process_timestamp_utc,
         e.agent_transfer_error_message, e.error_msg, e.logs_summary
  FROM backup_entries e
  LEFT JOIN backup_jobs j ON j.tenant_id = e.tenant_id AND j.id = e.job_id
  WHERE e.tenant_id = $1 AND e.id = ANY ($2::uuid[]) AND e.verdict IS NOT NULL`;
