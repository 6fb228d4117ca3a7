import { constants } from 'node:fs';
import { mkdir, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { codeOf, describeFileError, isFileSystemError } from '../files/file-errors.js';
import { storeRoot } from '../files/folders.js';
import { statsOf, syncFolder } from '../files/stored-file.js';

/** The file that marks a folder as the backup store. */
export const STORE_MARKER = '.vigie-store';

const MARKER_TEXT = `This folder is Vigie's backup store. Keep this file and copy it with the backups. Without it, Vigie treats the folder
as an unmounted disk and does not store, verify or remove anything.
`;

/** The folder at BACKUP_STORE_DIR is not the store. Handled like a file system error. */
export class StoreUnavailable extends Error {
  readonly syscall = 'lstat';
}

/**
 * The backup store. It may be unmounted at any moment; its mount point is then an empty folder. Only a folder with the
 * marker file is the store.
 */
@Injectable()
export class BackupStore {
  private readonly logger = new Logger('Backups');
  readonly root: string;
  private readonly isConfigured: boolean;
  /** Why it was unavailable at the last check; null if it was available. */
  private lastReason: string | null = null;

  constructor(
    private readonly system: SystemDatabase,
    @Inject(CONFIG) config: Config,
  ) {
    this.root = storeRoot(config);
    this.isConfigured = config.backupStoreDir !== null;
  }

  async isAvailable(): Promise<boolean> {
    return (await this.unavailableReason()) === null;
  }

  /** @throws StoreUnavailable, which names no path of the server */
  async assertAvailable(): Promise<void> {
    const reason = await this.unavailableReason();
    if (reason !== null) throw new StoreUnavailable(reason);
  }

  /** Whether any tenant's backup is recorded as stored. */
  async hasBackups(): Promise<boolean> {
    const [row] = await this.system.query<{ stored: boolean }>(HAS_BACKUPS);
    return row?.stored === true;
  }

  /**
   * Marks a new store, and logs once when the store becomes unavailable or available again. A store is new if its
   * folder is empty and no backup is recorded as stored.
   */
  async prepare(): Promise<void> {
    let reason = await this.unavailableReason();
    if (reason !== null && !(await this.hasBackups())) {
      try {
        await this.markEmptyFolder();
        reason = await this.unavailableReason();
      } catch (error) {
        if (!isFileSystemError(error)) throw error;
        reason = describeFileError(error);
      }
    }
    if (reason !== null && this.lastReason === null)
      this.logger.error({ event: 'backup_store_unavailable', detail: reason });
    if (reason === null && this.lastReason !== null) this.logger.log({ event: 'backup_store_available' });
    this.lastReason = reason;
  }

  private unavailableReason(): Promise<string | null> {
    return storeUnavailableReason(this.root);
  }

  /** Creates the folder only at its default path: a configured folder that does not exist is unmounted. */
  private async markEmptyFolder(): Promise<void> {
    if (!this.isConfigured) await mkdir(this.root, { recursive: true, mode: 0o750 });
    if (!(await isEmpty(this.root))) return;
    try {
      const marker = await open(
        join(this.root, STORE_MARKER),
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
        0o640,
      );
      try {
        await marker.writeFile(MARKER_TEXT);
        await marker.sync();
      } finally {
        await marker.close();
      }
      await syncFolder(this.root);
    } catch (error) {
      // Another process created it first.
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Whether any tenant's backup is recorded as stored. */
export const HAS_BACKUPS = `
  SELECT EXISTS (SELECT FROM backup_entries WHERE stored_state IN ('stored', 'damaged', 'gone', 'removing')) AS stored`;

/** Why the folder at this path is not the backup store, without its path; null if it is. */
export async function storeUnavailableReason(root: string): Promise<string | null> {
  try {
    if ((await statsOf(join(root, STORE_MARKER)))?.isFile() === true) return null;
    if ((await statsOf(root)) === null) return 'the backup store folder does not exist';
    return `the backup store folder has no file ${STORE_MARKER}: its disk is probably not mounted`;
  } catch (error) {
    if (isFileSystemError(error)) return describeFileError(error);
    throw error;
  }
}

/** A new file system is not quite empty: ext4 has lost+found. */
export async function isEmpty(folder: string): Promise<boolean> {
  try {
    for await (const { name } of await opendir(folder)) if (name !== 'lost+found') return false;
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
