import { join } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import type { Finding, UnsettledEntry, Verdict } from './entries.js';
import { type FileError, isFull, isFileSystemError, describeFileError } from '../files/file-errors.js';
import type { Scan } from './scan.js';
import type { OpenStaged } from '../files/staged-file.js';
import {
  hasRoom,
  IncomingCopy,
  pathExists,
  readStored,
  removeLeftovers,
  syncFailure,
  syncFolders,
  syncStored,
  TargetTaken,
  type UnsyncedFolders,
} from '../files/stored-file.js';
import { storedPath } from '../files/stored-path.js';
import { readThrough, type Reading } from '../files/read-through.js';
import { BackupStore } from '../store/backup-store.js';

/** A started copy, the failure that prevented it, or null if none was started. */
export type BegunCopy = IncomingCopy | { failure: FileError } | null;

/** The result of storing a file. */
export type Promoted = Pick<
  Finding,
  'verdict' | 'reason' | 'detail' | 'settled' | 'stored_path' | 'published'
>;

/**
 * Stores verified files: each is complete, verified and fsynced before it gets its name. The name is fsynced together
 * with those of other files, before their verdicts are committed.
 */
@Injectable()
export class StoreWriter {
  private readonly logger = new Logger('Backups');

  constructor(private readonly store: BackupStore) {}

  /** Starts a copy that is written while the file is read for the first time; null if its path is taken. */
  async begin(scan: Scan, entry: UnsettledEntry): Promise<BegunCopy> {
    const path = storedPath(scan.slug, entry);
    try {
      await this.store.assertAvailable();
      if (await pathExists(join(this.store.root, path))) return null;
      return await IncomingCopy.begin(this.store.root, path, entry.id);
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      return { failure: error };
    }
  }

  /** Removes an unwanted copy. @returns why it failed: its entry must not be settled then. */
  async discard(begun: BegunCopy): Promise<FileError | null> {
    try {
      if (begun instanceof IncomingCopy) await begun.discard();
      return null;
    } catch (error) {
      if (isFileSystemError(error)) return error;
      throw error;
    }
  }

  /** Removes the copies of these entries that killed scans left. */
  async tidy({ tenant_id, slug }: Scan, entries: readonly UnsettledEntry[]): Promise<void> {
    const places = entries.map((entry) => ({ id: entry.id, path: storedPath(slug, entry) }));
    try {
      await removeLeftovers(this.store.root, places);
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      this.logger.error({ event: 'backup_leftovers_kept', tenant_id, detail: describeFileError(error) });
    }
  }

  /** Whether a file of so many bytes would fit. */
  async hasRoom(bytes: number): Promise<boolean> {
    return hasRoom(this.store.root, bytes);
  }

  /**
   * Stores a file that has the hash of this entry. If it fails, the file stays staged for the next try.
   * @param begun the copy that was written while the file was read
   */
  async promote(
    scan: Scan,
    entry: UnsettledEntry,
    opened: OpenStaged,
    reading: Reading,
    begun: BegunCopy,
  ): Promise<Promoted> {
    const path = storedPath(scan.slug, entry);
    try {
      if (begun !== null && 'failure' in begun) throw begun.failure;
      const put = await this.put(scan, path, entry.id, opened, reading, begun);
      if (put === 'taken') return { verdict: 'FAILED', reason: 'target_taken', detail: path, settled: false };
      return { verdict: 'SUCCESS', reason: null, detail: null, settled: true, stored_path: path, ...put };
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      return this.failed(scan, entry.id, error);
    }
  }

  /** The verdict of a file that could not be stored, and stays staged for the next try. */
  failed({ tenant_id }: Scan, entry_id: string, error: FileError): Promoted {
    const detail = describeFileError(error);
    this.logger.error({ event: 'backup_not_stored', tenant_id, entry_id, detail });
    return {
      verdict: 'FAILED',
      reason: isFull(error) ? 'store_full' : 'store_failed',
      detail,
      settled: false,
    };
  }

  /**
   * Fsyncs the names of the files of these verdicts. A verdict whose name cannot be fsynced becomes FAILED, and its
   * staged file stays.
   * @returns the verdicts, ready to commit
   */
  async sync(scan: Scan, verdicts: readonly Verdict[]): Promise<readonly Verdict[]> {
    const failures = await syncFolders(verdicts.flatMap(({ finding }) => finding.published ?? []));
    if (failures.size === 0) return verdicts;
    const kept = new Set<string>();
    const synced = verdicts.map(({ entry, finding }): Verdict => {
      const failure = finding.published && syncFailure(finding.published, failures);
      if (failure === undefined) return { entry, finding };
      if (finding.staged !== undefined) kept.add(finding.staged.identity);
      const { server_hash_sha256, server_size_bytes } = finding;
      const failed = this.failed(scan, entry.id, failure);
      return { entry, finding: { server_hash_sha256, server_size_bytes, ...failed } };
    });
    return synced.map(({ entry, finding: { staged, ...finding } }) => {
      const isKept = staged === undefined || kept.has(staged.identity);
      return { entry, finding: isKept ? finding : { ...finding, staged } };
    });
  }

  /** @returns the folders to fsync, or that another file is there. */
  private async put(
    scan: Scan,
    path: string,
    id: string,
    opened: OpenStaged,
    { sha256, not_copied }: Reading,
    copy: IncomingCopy | null,
  ): Promise<{ published?: UnsyncedFolders } | 'taken'> {
    try {
      if (copy !== null && not_copied !== null) {
        await this.discard(copy);
        throw not_copied;
      }
      const published =
        copy !== null ? await copy.publish() : await this.copyAgain(scan, path, id, opened, sha256);
      return { published };
    } catch (error) {
      if (!(error instanceof TargetTaken)) throw error;
    }
    // A scan may have been killed after it put the same file there, and before it fsynced and recorded it.
    const existing = await readStored(this.store.root, path, scan.signal);
    if (existing?.sha256 !== sha256) return 'taken';
    await syncStored(this.store.root, path);
    return {};
  }

  /** Reads the same open file a second time, and verifies it like the first time. */
  private async copyAgain(
    scan: Scan,
    path: string,
    id: string,
    { handle }: OpenStaged,
    sha256: string,
  ): Promise<UnsyncedFolders> {
    await this.store.assertAvailable();
    if (await pathExists(join(this.store.root, path))) throw new TargetTaken();
    const copy = await IncomingCopy.begin(this.store.root, path, id);
    try {
      const reading = await readThrough(handle, copy.handle, scan.signal, () => undefined);
      if (reading.not_copied !== null) throw reading.not_copied;
      if (reading.sha256 !== sha256) throw new FileChanged();
    } catch (error) {
      await this.discard(copy);
      throw error;
    }
    return copy.publish();
  }
}

/** The file changed between its two readings. Handled like a file system error. */
class FileChanged extends Error {
  readonly syscall = 'read';

  constructor() {
    super('the staged file changed while it was being copied');
  }
}
