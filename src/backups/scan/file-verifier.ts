import { Injectable, Logger } from '@nestjs/common';
import type { BackupWarning } from '../../contracts/backups.js';
import { describeFileError, isFileSystemError } from '../files/file-errors.js';
import { readThrough, type Reading } from '../files/read-through.js';
import { identityOf, type OpenStaged } from '../files/staged-file.js';
import { IncomingCopy } from '../files/stored-file.js';
import type { Finding, UnsettledEntry, Verdict } from './entries.js';
import type { Scan } from './scan.js';
import { type BegunCopy, StoreWriter } from './store-writer.js';

/** The log shows the progress of files of at least this size, in bytes. */
const LARGE_FILE = 256 * 1_048_576;

/**
 * Reads a staged file once, and decides the entries that name it. The stored copy is written from the same bytes that
 * were hashed.
 */
@Injectable()
export class FileVerifier {
  private readonly logger = new Logger('Backups');

  constructor(private readonly storeWriter: StoreWriter) {}

  /**
   * Compares each entry with the file. A file that matches one entry decides nothing about the others. Skips entries
   * that already have a verdict for a wrong file: this file belongs to the next backup, whose report has not arrived.
   * @param entries those that name the file, newest report first
   * @returns verdicts of the entries that the file decides; `unstorable` for a file whose copy failed before and still
   *   cannot begin: it is not read; `moving` for a file that was written while it was read: it decides nothing.
   */
  async verify(
    scan: Scan,
    entries: readonly UnsettledEntry[],
    opened: OpenStaged,
  ): Promise<Verdict[] | 'moving' | 'unstorable'> {
    const [newest] = entries;
    if (newest === undefined) return [];
    let reading: Reading;
    let copy: BegunCopy = null;
    try {
      // A file of another size seldom matches: read it before copying anything.
      const isLikely = newest.size_bytes === null || newest.size_bytes === opened.stats.size;
      if (isLikely) copy = await this.storeWriter.begin(scan, newest);
      if (copy !== null && 'failure' in copy && entries.every(isUnstored)) return 'unstorable';
      reading = await this.read(scan, opened, copy instanceof IncomingCopy ? copy : null);
      if (identityOf(await opened.handle.stat()) !== identityOf(opened.stats)) {
        await this.storeWriter.discard(copy);
        return 'moving';
      }
    } catch (error) {
      await this.storeWriter.discard(copy);
      if (!isFileSystemError(error)) throw error;
      const detail = describeFileError(error);
      const finding = { verdict: 'FAILED', reason: 'unreadable', detail, settled: false } as const;
      return entries.map((entry) => ({ entry, finding }));
    }
    return this.compare(scan, entries, opened, reading, copy);
  }

  private async compare(
    scan: Scan,
    entries: readonly UnsettledEntry[],
    opened: OpenStaged,
    reading: Reading,
    copy: BegunCopy,
  ): Promise<Verdict[]> {
    const measured = { server_hash_sha256: reading.sha256, server_size_bytes: reading.size };
    const isRight = ({ hash_sha256 }: UnsettledEntry) => hash_sha256 === reading.sha256;
    const [newest] = entries;
    // If the copy cannot be removed, settle no wrong entry: the copy would stay beside a settled one for ever.
    const discardFailure =
      newest === undefined || isRight(newest) ? null : await this.storeWriter.discard(copy);
    const right = entries.filter(isRight);
    const verdicts: Verdict[] = [];
    for (const entry of entries) {
      if (isRight(entry)) {
        const ownCopy = entry === newest ? copy : null;
        const promoted = await this.storeWriter.promote(scan, entry, opened, reading, ownCopy);
        verdicts.push({ entry, finding: { ...measured, ...promoted, warnings: warningsOf(entry, reading) } });
      } else if (discardFailure !== null) {
        const failed = this.storeWriter.failed(scan, entry.id, discardFailure);
        verdicts.push({ entry, finding: { ...measured, ...failed } });
      } else if (right.length === 0 && isOpen(entry, opened)) {
        const mismatch = { verdict: 'HASH_MISMATCH', reason: 'hash_differs', detail: null } as const;
        verdicts.push({ entry, finding: { ...measured, ...mismatch, settled: false } });
      }
    }
    if (discardFailure !== null) return verdicts;
    const identity = identityOf(opened.stats);
    if (right.length === 0) return withAct(verdicts, { action: 'quarantine', identity });
    // The file stays staged until every entry that matches it is stored.
    const isUnfinished = verdicts.some(({ finding }) => finding.verdict !== 'SUCCESS');
    return isUnfinished ? verdicts : withAct(verdicts, { action: 'delete', identity });
  }

  private async read(
    scan: Scan,
    { handle, stats, name }: OpenStaged,
    copy: IncomingCopy | null,
  ): Promise<Reading> {
    let counted = 0;
    let logged = 0;
    return readThrough(handle, copy?.handle ?? null, scan.signal, (bytes) => {
      scan.count('bytes', bytes - counted);
      counted = bytes;
      const percent = Math.floor((bytes / Math.max(1, stats.size)) * 100);
      if (stats.size < LARGE_FILE || percent < logged + 10) return;
      logged = percent;
      this.logger.log({
        event: 'backup_file_progress',
        tenant_id: scan.tenant_id,
        staged_file_name: name,
        percent,
      });
    });
  }
}

/**
 * Whether a wrong file decides the entry: only if it has no verdict yet, or one that is not about the file's content
 * (it was unreadable, or its copy could not be removed). Even then, a file written after the grace period belongs to
 * the next backup.
 */
function isOpen({ verdict, reason, wait_until }: UnsettledEntry, { stats }: OpenStaged): boolean {
  if (verdict === null) return true;
  const isUndecided = reason === 'unreadable' || reason === 'store_failed' || reason === 'store_full';
  return isUndecided && stats.mtime <= wait_until;
}

/** Warnings about a file with the right hash. */
function warningsOf({ size_bytes }: UnsettledEntry, { size, empty }: Reading): BackupWarning[] {
  const hasOtherSize = size_bytes !== null && size_bytes !== size;
  return [...(empty ? (['empty_file'] as const) : []), ...(hasOtherSize ? (['size_differs'] as const) : [])];
}

function isUnstored({ reason }: UnsettledEntry): boolean {
  return reason === 'store_failed' || reason === 'store_full';
}

/** Records the act in every entry: whichever is committed last before a kill, the next scan knows what to do. */
function withAct(verdicts: readonly Verdict[], staged: NonNullable<Finding['staged']>): Verdict[] {
  return verdicts.map(({ entry, finding }) => ({ entry, finding: { ...finding, staged } }));
}
