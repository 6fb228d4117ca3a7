import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { Finding, UnsettledEntry } from './entries.js';
import { type FileError, isFull, isFileSystemError, describeFileError } from '../files/file-errors.js';
import { storeRoot } from '../files/folders.js';
import type { Scan } from './scan.js';
import type { OpenStaged } from '../files/staged-file.js';
import {
  hasRoom,
  IncomingCopy,
  isThere,
  readStored,
  removeLeftovers,
  syncStored,
  TargetTaken,
} from '../files/stored-file.js';
import { storedPath } from '../files/stored-path.js';
import { readThrough, type Reading } from '../files/read-through.js';

/** A copy that is under way, what kept it from beginning, or null where none was begun. */
export type Begun = IncomingCopy | { failure: FileError } | null;

/** What promoting came to. */
export type Promoted = Pick<Finding, 'verdict' | 'reason' | 'detail' | 'settled' | 'stored_path'>;

/** Puts verified files into the final storage: each is whole, checked and on the disk before it has its name. */
@Injectable()
export class StoreWriter {
  private readonly logger = new Logger('Backups');
  private readonly store: string;

  constructor(@Inject(CONFIG) config: Config) {
    this.store = storeRoot(config);
  }

  /** Begins a copy that is written while the file is read for the first time; null where something is there. */
  async begin(scan: Scan, entry: UnsettledEntry): Promise<Begun> {
    const path = storedPath(scan.slug, entry);
    try {
      if (await isThere(join(this.store, path))) return null;
      return await IncomingCopy.begin(this.store, path, entry.id);
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      return { failure: error };
    }
  }

  /** The copy is not wanted. @returns why it could not be taken away: then its entry must not be settled yet. */
  async discard(begun: Begun): Promise<FileError | null> {
    try {
      if (begun instanceof IncomingCopy) await begun.discard();
      return null;
    } catch (error) {
      if (isFileSystemError(error)) return error;
      throw error;
    }
  }

  /** Takes away what killed scans have left of copies of these entries. */
  async tidy({ tenant_id, slug }: Scan, entries: readonly UnsettledEntry[]): Promise<void> {
    const places = entries.map((entry) => ({ id: entry.id, path: storedPath(slug, entry) }));
    try {
      await removeLeftovers(this.store, places);
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      this.logger.error({ event: 'backup_leftovers_kept', tenant_id, detail: describeFileError(error) });
    }
  }

  /** Whether a file of so many bytes would fit. */
  async hasRoom(bytes: number): Promise<boolean> {
    return hasRoom(this.store, bytes);
  }

  /**
   * The file has the hash that this entry names. A failure leaves it staged, for the next try.
   * @param begun the copy that was written while it was read.
   */
  async promote(
    scan: Scan,
    entry: UnsettledEntry,
    opened: OpenStaged,
    reading: Reading,
    begun: Begun,
  ): Promise<Promoted> {
    const path = storedPath(scan.slug, entry);
    try {
      if (begun !== null && 'failure' in begun) throw begun.failure;
      const isStored = await this.put(scan, path, entry.id, opened, reading, begun);
      if (!isStored) return { verdict: 'FAILED', reason: 'target_taken', detail: path, settled: false };
      return { verdict: 'SUCCESS', reason: null, detail: null, settled: true, stored_path: path };
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      return this.failed(scan, entry.id, error);
    }
  }

  /** It is not in the store, and stays where it is for the next try. */
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

  /** @returns false when another file is there. */
  private async put(
    scan: Scan,
    path: string,
    id: string,
    opened: OpenStaged,
    { sha256, not_copied }: Reading,
    copy: IncomingCopy | null,
  ): Promise<boolean> {
    try {
      if (copy !== null && not_copied !== null) {
        await this.discard(copy);
        throw not_copied;
      }
      if (copy !== null) await copy.publish();
      else await this.copyAgain(scan, path, id, opened, sha256);
      return true;
    } catch (error) {
      if (!(error instanceof TargetTaken)) throw error;
    }
    // A scan that was killed may have put it there, and not come to say so, nor to have the disk keep it.
    const there = await readStored(this.store, path, scan.signal);
    if (there?.sha256 !== sha256) return false;
    await syncStored(this.store, path);
    return true;
  }

  /** From the same open file, which is read a second time, and checked as the first. */
  private async copyAgain(
    scan: Scan,
    path: string,
    id: string,
    { handle }: OpenStaged,
    sha256: string,
  ): Promise<void> {
    if (await isThere(join(this.store, path))) throw new TargetTaken();
    const copy = await IncomingCopy.begin(this.store, path, id);
    try {
      const reading = await readThrough(handle, copy.handle, scan.signal, () => undefined);
      if (reading.not_copied !== null) throw reading.not_copied;
      if (reading.sha256 !== sha256) throw new FileChanged();
    } catch (error) {
      await this.discard(copy);
      throw error;
    }
    await copy.publish();
  }
}

/** Somebody wrote into the file between two readings. */
class FileChanged extends Error {
  readonly syscall = 'read';

  constructor() {
    super('the staged file was changed while it was copied');
  }
}
