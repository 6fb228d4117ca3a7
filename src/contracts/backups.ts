/** The server's verdict on a backup. Literal strings, because they are stored. */
export const BACKUP_VERDICTS = [
  'SUCCESS',
  'FAILED',
  'TRANSFER_INTEGRITY_FAILED',
  'HASH_MISMATCH',
  'MISSING',
] as const;
export type BackupVerdict = (typeof BACKUP_VERDICTS)[number];
export type FailingVerdict = Exclude<BackupVerdict, 'SUCCESS'>;

/** The agent's status of a backup, in STATUS.json. */
export const AGENT_STATUSES = ['success', 'failed', 'transfer_integrity_failed'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/**
 * Warnings about a backup beside its verdict. Literal strings, because they are stored; in order, the most severe
 * first.
 */
export const BACKUP_WARNINGS = [
  /** The file has the agent's hash, but contains no backup. */
  'empty_file',
  /** It is far smaller than the last good ones. */
  'shrunk',
  /** Its size differs from the agent's report. */
  'size_differs',
  /** It has the same bytes as the previous backup. */
  'unchanged',
  /** The report has fields that this version does not know. */
  'unknown_fields',
] as const;
export type BackupWarning = (typeof BACKUP_WARNINGS)[number];

/** A SUCCESS with one of these is doubtful: people are notified, and it does not count as the last good backup. */
export const DOUBTS = ['empty_file', 'shrunk'] as const satisfies readonly BackupWarning[];
export type Doubt = (typeof DOUBTS)[number];

/** The most severe doubt about a backup; null if there is none. */
export function doubtOf({
  verdict,
  warnings,
}: {
  verdict: string | null;
  warnings: readonly string[];
}): Doubt | null {
  if (verdict !== 'SUCCESS') return null;
  return DOUBTS.find((doubt) => warnings.includes(doubt)) ?? null;
}

/** Why a verdict is not SUCCESS. Literal strings, because they are stored; the templates have their texts. */
export const BACKUP_REASONS = [
  /** MISSING: no report by the end of the grace period. */
  'no_report',
  /** MISSING: the report was rejected (`detail` says why). */
  'report_rejected',
  /** MISSING: the report's file did not arrive. */
  'no_staged_file',
  /** FAILED: the report about this database is not valid (`detail` says why). */
  'report_invalid',
  /** FAILED, TRANSFER_INTEGRITY_FAILED: the agent reported it. */
  'agent_failed',
  'agent_transfer_failed',
  /** HASH_MISMATCH. */
  'hash_differs',
  /** FAILED: the staged file has a name that could lead out of the agent's folder. */
  'unsafe_name',
  'symbolic_link',
  'not_a_file',
  /** FAILED: the file, or its folder, cannot be read. */
  'unreadable',
  /** FAILED: it could not be stored. */
  'store_full',
  'store_failed',
  /** FAILED: another file has its path. */
  'target_taken',
] as const;
export type BackupReason = (typeof BACKUP_REASONS)[number];
