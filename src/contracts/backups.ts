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

/**
 * What is remarkable about a backup beside its verdict. Written strings: they are stored, in this order, the gravest
 * first.
 */
export const BACKUP_WARNINGS = [
  /** The file has the agent's hash, and there is no backup in it. */
  'empty_file',
  /** It is far smaller than the last good ones. */
  'shrunk',
  /** It has another size than the agent says. */
  'size_differs',
  /** It has the same bytes as the backup before it. */
  'unchanged',
  /** The report has fields that this version does not know. */
  'unknown_fields',
] as const;
export type BackupWarning = (typeof BACKUP_WARNINGS)[number];

/** A SUCCESS with one of these is doubtful: people are notified, and it does not count as the last good backup. */
export const DOUBTS = ['empty_file', 'shrunk'] as const satisfies readonly BackupWarning[];
export type Doubt = (typeof DOUBTS)[number];

/** The gravest doubt about a backup; null where there is none. */
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

/** Why a verdict is not SUCCESS. Written strings: they are stored; the templates word them. */
export const BACKUP_REASONS = [
  /** MISSING: nothing came by the end of the grace. */
  'no_report',
  /** MISSING: what came was not a report (`detail` says why it was rejected). */
  'report_rejected',
  /** MISSING: a report came, and the file that it names did not. */
  'no_staged_file',
  /** FAILED: what the report says of this database is not valid (`detail` says why). */
  'report_invalid',
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
