import type { BackupJobStatus } from '../jobs/backup-jobs.dto.js';

/** The letter of each verdict where a result has one character. */
export const RESULT_LETTERS = {
  SUCCESS: 'S',
  FAILED: 'F',
  TRANSFER_INTEGRITY_FAILED: 'T',
  HASH_MISMATCH: 'H',
  MISSING: 'M',
} as const satisfies Record<Exclude<BackupJobStatus, 'unknown'>, string>;

/** A success with a doubt: empty, or far smaller than the last ones. */
export const DOUBTFUL = 'D';
/** No verdict yet: its file is awaited. */
export const WAITING = '.';
