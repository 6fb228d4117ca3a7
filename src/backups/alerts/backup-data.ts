import type { BackupReason, BackupVerdict, BackupWarning, Doubt } from '../../contracts/backups.js';

/**
 * All facts about a backup: its job, its report, and the server's findings. Instants are ISO 8601 in UTC, sizes bytes;
 * the fields of the report are STATUS.json's.
 */
export interface BackupFacts {
  /** Null for an unexpected database. */
  job_id: string | null;
  entry_id: string;
  verdict: BackupVerdict;
  /** The verdict's reason as a code (contracts/backups); null for SUCCESS. */
  reason: BackupReason | null;
  /** The same in the system's or the agent's own words. */
  detail: string | null;
  /** The most severe first. A SUCCESS with a doubt is not a good backup. */
  warnings: BackupWarning[];
  agent_id: string;
  database_name: string;
  company_name: string;
  city: string;
  neighborhood: string | null;
  /** HH:mm in the tenant's zone; null for an unexpected database. */
  expected_time: string | null;
  expected_at: string | null;
  /** Since when the job has this verdict. */
  status_since: string;
  last_checked_at: string | null;
  last_success_at: string | null;
  last_failure_at: string | null;
  operation_timestamp_utc: string | null;
  staged_file_name: string | null;
  hash_sha256: string | null;
  server_hash_sha256: string | null;
  /** Null if one of the two is unknown. */
  hashes_match: boolean | null;
  size_bytes: number | null;
  server_size_bytes: number | null;
  sizes_match: boolean | null;
  compress_size_pre_compress: number | null;
  compress_size_post_compress: number | null;
  agent_transfer_process_status: string | null;
  agent_transfer_process_start_time_utc: string | null;
  agent_transfer_process_timestamp_utc: string | null;
  agent_transfer_error_message: string | null;
  error_msg: string | null;
  logs_summary: string | null;
}

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    /** `doubt`: why a SUCCESS is not a good backup; null if the verdict itself is the fault. */
    backup_alert: BackupFacts & { doubt: Doubt | null };
    /** The good backup; `failed` lists the faults before it. */
    backup_recovered: BackupFacts & { failed: (BackupVerdict | Doubt)[]; failed_since: string };
    /** The file of a stored backup has changed or is missing. */
    backup_damaged: BackupFacts & {
      stored_path: string;
      state: 'damaged' | 'gone';
      found_sha256: string | null;
    };
  }
}
