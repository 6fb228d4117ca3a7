import { Injectable, Logger } from '@nestjs/common';
import type { Finding, UnsettledEntry } from './entries.js';
import { isFileSystemError, describeFileError } from '../files/file-errors.js';
import { type Begun, StoreWriter } from './store-writer.js';
import type { Scan } from './scan.js';
import { identityOf, type OpenStaged } from '../files/staged-file.js';
import { IncomingCopy } from '../files/stored-file.js';
import { readThrough, type Reading } from '../files/read-through.js';

/** What an entry is worth. */
export interface Judged {
  entry: UnsettledEntry;
  finding: Finding;
}

/** A file of at least so many bytes tells how far it is. */
const LARGE = 256 * 1_048_576;

/**
 * Reads a staged file once, and says what the entries that name it are worth. What was read is what is kept: the copy
 * is written from the same bytes.
 */
@Injectable()
export class FileVerifier {
  private readonly logger = new Logger('Backups');

  constructor(private readonly promoting: StoreWriter) {}

  /**
   * Each entry is held against the file. A file that is right for one of them is not the others': they are not judged
   * by it. Nor is by a wrong file an entry that has its verdict of one: it is the next backup's, whose report is to come.
   * @param entries those that name the file, newest report first.
   * @returns those that the file says something of; `unstorable` when it is known and still can't be stored: then it
   * is not read; `moving` when it was written while it was read: nothing is known of it then.
   */
  async judge(
    scan: Scan,
    entries: readonly UnsettledEntry[],
    opened: OpenStaged,
  ): Promise<Judged[] | 'moving' | 'unstorable'> {
    const [newest] = entries;
    if (newest === undefined) return [];
    let reading: Reading;
    let copy: Begun = null;
    try {
      // A file of another size is seldom right: it is read before anything is copied.
      const likely = newest.size_bytes === null || newest.size_bytes === opened.stats.size;
      if (likely) copy = await this.promoting.begin(scan, newest);
      if (copy !== null && 'failure' in copy && entries.every(isUnstored)) return 'unstorable';
      reading = await this.read(scan, opened, copy instanceof IncomingCopy ? copy : null);
      if (identityOf(await opened.handle.stat()) !== identityOf(opened.stats)) {
        await this.promoting.discard(copy);
        return 'moving';
      }
    } catch (error) {
      await this.promoting.discard(copy);
      if (!isFileSystemError(error)) throw error;
      const finding = {
        verdict: 'FAILED',
        reason: 'unreadable',
        detail: describeFileError(error),
        settled: false,
      } as const;
      return entries.map((entry) => ({ entry, finding }));
    }
    return this.hold(scan, entries, opened, reading, copy);
  }

  private async hold(
    scan: Scan,
    entries: readonly UnsettledEntry[],
    opened: OpenStaged,
    reading: Reading,
    copy: Begun,
  ): Promise<Judged[]> {
    const found = { server_hash_sha256: reading.sha256, server_size_bytes: reading.size };
    const isRight = ({ hash_sha256 }: UnsettledEntry) => hash_sha256 === reading.sha256;
    const [newest] = entries;
    // What could not be taken away would stay for ever beside a settled entry.
    const stuck = newest === undefined || isRight(newest) ? null : await this.promoting.discard(copy);
    const right = entries.filter(isRight);
    const judged: Judged[] = [];
    for (const entry of entries) {
      if (!isRight(entry) && stuck !== null) {
        judged.push({ entry, finding: { ...found, ...this.promoting.failed(scan, entry.id, stuck) } });
        continue;
      }
      if (!isRight(entry)) {
        if (right.length > 0 || !isOpen(entry, opened)) continue;
        const verdict = { verdict: 'HASH_MISMATCH', reason: 'hash_differs', detail: null } as const;
        judged.push({ entry, finding: { ...found, ...verdict, settled: false } });
        continue;
      }
      const promoted = await this.promoting.promote(
        scan,
        entry,
        opened,
        reading,
        entry === newest ? copy : null,
      );
      const warning = entry.size_bytes !== null && entry.size_bytes !== reading.size ? 'size_differs' : null;
      judged.push({ entry, finding: { ...found, ...promoted, warning } });
    }
    const identity = identityOf(opened.stats);
    if (stuck !== null) return judged;
    if (right.length === 0) return withAct(judged, { action: 'quarantine', identity });
    // It stays until all that it is right for are stored.
    const unstored = judged.some(({ finding }) => finding.verdict !== 'SUCCESS');
    return unstored ? judged : withAct(judged, { action: 'delete', identity });
  }

  private async read(
    scan: Scan,
    { handle, stats, name }: OpenStaged,
    copy: IncomingCopy | null,
  ): Promise<Reading> {
    let counted = 0;
    let told = 0;
    return readThrough(handle, copy?.handle ?? null, scan.signal, (bytes) => {
      scan.count('bytes', bytes - counted);
      counted = bytes;
      const percent = Math.floor((bytes / Math.max(1, stats.size)) * 100);
      if (stats.size < LARGE || percent < told + 10) return;
      told = percent;
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
 * Whether a wrong file is held against the entry: it has no verdict yet, or one that says nothing of the file, which
 * could not be read, or its copy not be taken away. One from after the grace is the next backup's all the same.
 */
function isOpen({ verdict, reason, wait_until }: UnsettledEntry, { stats }: OpenStaged): boolean {
  if (verdict === null) return true;
  const isUnknown = reason === 'unreadable' || reason === 'store_failed' || reason === 'store_full';
  return isUnknown && stats.mtime <= wait_until;
}

function isUnstored({ reason }: UnsettledEntry): boolean {
  return reason === 'store_failed' || reason === 'store_full';
}

/** The act is every entry's: whichever of them is committed last before a kill, the next scan knows what is to do. */
function withAct(judged: readonly Judged[], staged: NonNullable<Finding['staged']>): Judged[] {
  return judged.map(({ entry, finding }) => ({ entry, finding: { ...finding, staged } }));
}
