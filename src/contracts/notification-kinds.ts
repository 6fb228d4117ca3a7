import type { BackupReason, BackupVerdict } from './backups.js';

/**
 * What people are told about. A kind is also the name of its mail template (`templates/<locale>/<kind>.*`).
 * Written strings: they are stored.
 */
export const NOTIFICATION_KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'weekly_summary',
  'welcome',
  'password_reset',
  'test',
  'event',
  'message',
  'backup_alert',
  'backup_recovered',
  'backup_damaged',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** The kinds that a user may turn off; the others are answers to something they did. */
export const OPTIONAL_KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'weekly_summary',
  'event',
  'message',
  'backup_alert',
  'backup_recovered',
  'backup_damaged',
] as const satisfies readonly NotificationKind[];

/** The kinds of which several may leave as one message. */
export const BUNDLED_KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'event',
  'backup_alert',
  'backup_recovered',
  'backup_damaged',
] as const satisfies readonly NotificationKind[];

/** Whether what waits for one person leaves as one message, or as one each. */
export const BUNDLINGS = ['together', 'single'] as const;
export type Bundling = (typeof BUNDLINGS)[number];

export const LOCALES = ['fr', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const CHANNELS = ['email'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A line of the weekly summary. Dates are civil dates (YYYY-MM-DD) in the tenant's zone. */
export interface SummaryLine {
  title: string;
  client_name: string | null;
  due_on: string;
  /** Days from today; negative once it is late. */
  days_left: number;
}

/**
 * All that is known of a backup: its job, its report, and what the server found. Instants are ISO 8601 in UTC, sizes
 * bytes; the fields of the report are STATUS.json's.
 */
export interface BackupFacts {
  /** Null where nobody expects the database. */
  job_id: string | null;
  entry_id: string;
  verdict: BackupVerdict;
  /** Why, as a code (contracts/backups); null for SUCCESS. */
  reason: BackupReason | null;
  /** The same in the system's or the agent's own words. */
  detail: string | null;
  /** Equal hash, another size. */
  warning: 'size_differs' | null;
  agent_id: string;
  database_name: string;
  company_name: string;
  city: string;
  neighborhood: string | null;
  /** HH:mm in the tenant's zone; null where nobody expects it. */
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
  /** Null where one of the two is not known. */
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

/** `data` of a notification, by kind: what its template and the inbox show. Dates are civil (YYYY-MM-DD). */
export interface NotificationData {
  deadline_near: {
    deadline_id: string;
    title: string;
    category: string | null;
    client_name: string | null;
    due_on: string;
    /** Negative once the deadline has passed. */
    days_left: number;
  };
  documents_missing: {
    document_id: string;
    title: string;
    client_name: string | null;
    due_on: string;
    days_late: number;
  };
  tasks_overdue: {
    task_id: string;
    title: string;
    client_name: string | null;
    due_on: string;
    days_late: number;
  };
  weekly_summary: {
    /** The Monday it was made for. */
    week_of: string;
    deadlines: SummaryLine[];
    documents: SummaryLine[];
    tasks: SummaryLine[];
    /** All there are; the lists above are cut at 20. */
    totals: { deadlines: number; documents: number; tasks: number };
  };
  /** The link itself is made when the mail is rendered: a secret is never stored. */
  welcome: { link_id: string; expires_at: string };
  password_reset: { link_id: string; expires_at: string };
  test: { requested_by: string | null };
  /** From `POST events`, `kind` is the event's own, as the caller names it. */
  event: Record<string, unknown>;
  /** What somebody wrote: the kind as they name it, and what else they gave. */
  message: { kind: string | null; data: Record<string, unknown> };
  backup_alert: BackupFacts;
  /** The good backup; `failed` is what had been wrong before it. */
  backup_recovered: BackupFacts & { failed: BackupVerdict[]; failed_since: string };
  /** A stored backup is no longer what was stored: its file was changed, or is gone. */
  backup_damaged: BackupFacts & {
    stored_path: string;
    state: 'damaged' | 'gone';
    found_sha256: string | null;
  };
}
