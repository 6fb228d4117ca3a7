/** What the server says of a backup. Written strings: they are stored. */
export const BACKUP_VERDICTS = [
  'SUCCESS',
  'FAILED',
  'TRANSFER_INTEGRITY_FAILED',
  'HASH_MISMATCH',
  'MISSING',
] as const;
export type BackupVerdict = (typeof BACKUP_VERDICTS)[number];
export type FailingVerdict = Exclude<BackupVerdict, 'SUCCESS'>;

/** What an agent says of a backup, in STATUS.json. */
export const AGENT_STATUSES = ['success', 'failed', 'transfer_integrity_failed'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** Why a verdict is not SUCCESS. Written strings: they are stored; backups/incident-texts words them. */
export const BACKUP_REASONS = [
  /** MISSING: nothing came by the end of the grace. */
  'no_report',
  /** MISSING: what came was not a report (`detail` says why it was rejected). */
  'report_rejected',
  /** MISSING: a report came, and the file that it names did not. */
  'no_staged_file',
  /** FAILED, TRANSFER_INTEGRITY_FAILED: the agent says so. */
  'agent_failed',
  'agent_transfer_failed',
  /** HASH_MISMATCH. */
  'hash_differs',
  /** FAILED: the staged file has a name that could lead out of the agent's folder. */
  'unsafe_name',
  'symbolic_link',
  'not_a_file',
  /** FAILED: the file, or its folder, can not be read. */
  'unreadable',
  /** FAILED: it could not be put into the final storage. */
  'store_full',
  'store_failed',
  /** FAILED: another file is there already. */
  'target_taken',
] as const;
export type BackupReason = (typeof BACKUP_REASONS)[number];
