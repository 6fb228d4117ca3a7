import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codeOf, describeFileError, isFileSystemError, isFull } from '../../backups/files/file-errors.js';
import { inboxRoot, storeRoot } from '../../backups/files/folders.js';
import { HAS_BACKUPS, isEmpty, storeUnavailableReason } from '../../backups/store/backup-store.js';
import { statsOf } from '../../backups/files/stored-file.js';
import { hasExternalDatabase } from '../../platform/config/config.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { asRole } from './postgres-client.js';

/** The data folder and the backups' inbox: they exist, and this user may write there. */
export async function checkFolders({ config }: DoctorContext): Promise<Finding[]> {
  const data = {
    path: resolve(config.dataDir),
    setting: 'VIGIE_DATA_DIR',
    required: !hasExternalDatabase(config) && config.sources.dataDir.kind !== 'default',
  };
  const inbox = {
    path: inboxRoot(config),
    setting: 'BACKUP_INBOX_DIR',
    required: config.backupInboxDir !== null,
  };
  return Promise.all([folderFinding(data), folderFinding(inbox)]);
}

interface Folder {
  path: string;
  setting: string;
  /** Otherwise Vigie creates it when it needs it. */
  required: boolean;
}

async function folderFinding({ path, setting, required }: Folder): Promise<Finding> {
  try {
    const stats = await statsOf(path);
    if (stats !== null && !stats.isDirectory() && !stats.isSymbolicLink())
      return fault(`${setting}: ${path} is not a folder`, `Set ${setting} to a folder`);
    if (stats !== null) {
      await tryWriting(path);
      return ok(`${setting}: ${path} is writable`);
    }
  } catch (error) {
    return writeFault(setting, path, error);
  }
  return required
    ? fault(
        `${setting}: ${path} does not exist`,
        `Mount its disk, or create the folder, or correct ${setting}`,
      )
    : note(`${setting}: ${path} does not exist yet`);
}

/** By its file system, not by its permissions: a mount may be read-only, and a quota exhausted. */
async function tryWriting(folder: string): Promise<void> {
  const file = join(folder, `.vigie-doctor-${randomUUID()}`);
  try {
    await writeFile(file, '1', { flag: 'wx' });
  } finally {
    await rm(file, { force: true });
  }
}

function writeFault(setting: string, path: string, error: unknown): Finding {
  const why = isFileSystemError(error) ? describeFileError(error) : String(error);
  const about = `${setting}: ${path} is not writable: ${why}`;
  if (isFull(error)) return fault(about, 'Free space on its disk, or raise the quota');
  if (codeOf(error) === 'EROFS') return fault(about, 'Mount its disk for writing (mount -o remount,rw)');
  const user = process.getuid === undefined ? 'the user of Vigie' : `the user with id ${process.getuid()}`;
  return fault(about, `Give ${user} the right to write there: chown, or chmod u+rwx`);
}

/** The store of backups is the folder with its marker; an unmounted disk leaves an empty one. */
export async function checkStore({ config }: DoctorContext): Promise<Finding[]> {
  const path = storeRoot(config);
  const setting = 'BACKUP_STORE_DIR';
  const reason = await storeUnavailableReason(path);
  if (reason === null) {
    return tryWriting(path).then(
      () => [ok(`${setting}: ${path} is mounted and writable`)],
      (error: unknown) => [writeFault(setting, path, error)],
    );
  }
  const configured = config.backupStoreDir !== null;
  const hasBackups = await asRole(config, 'vigie_system', async (client) => {
    const { rows } = await client.query<{ stored: boolean }>(HAS_BACKUPS);
    return rows[0]?.stored === true;
  }).catch(() => null);
  if (hasBackups !== true && (await isNew(path, configured)))
    return [
      hasBackups === null
        ? note(
            `${setting}: ${path} is new, or its disk is not mounted: PostgreSQL would know, and does not answer`,
          )
        : ok(`${setting}: ${path} is new; Vigie marks it at the first scan`),
    ];
  return [
    fault(
      `${setting}: ${reason} (${path})`,
      `Mount its disk, or correct ${setting}; a store that was moved without its marker file: docs/backups.md, "When something is wrong"`,
    ),
  ];
}

/** Vigie creates the folder only at its default path. */
async function isNew(path: string, configured: boolean): Promise<boolean> {
  if ((await statsOf(path)) === null) return !configured;
  return isEmpty(path);
}

const GIB = 1024 ** 3;

/** How full the disks of the folders are. */
export async function checkDisks({ config, statfs }: DoctorContext): Promise<Finding[]> {
  const folders = new Map([
    [resolve(config.dataDir), 'VIGIE_DATA_DIR'],
    [inboxRoot(config), 'BACKUP_INBOX_DIR'],
    [storeRoot(config), 'BACKUP_STORE_DIR'],
  ]);
  const findings = await Promise.all(
    [...folders].map(async ([path, setting]) => {
      try {
        return [spaceFinding(setting, path, await statfs(path))];
      } catch (error) {
        // A folder that does not exist has its own finding.
        if (isFileSystemError(error)) return [];
        throw error;
      }
    }),
  );
  return findings.flat().length > 0 ? findings.flat() : [note('no folder exists yet')];
}

/** Small disks are full by their share, large ones by what is left. */
function spaceFinding(
  setting: string,
  path: string,
  { bsize, blocks, bavail, files, ffree }: Awaited<ReturnType<DoctorContext['statfs']>>,
): Finding {
  const free = bavail * bsize;
  const share = blocks === 0 ? 1 : bavail / blocks;
  const inodes = files === 0 ? 1 : ffree / files;
  const left = `${(free / GIB).toFixed(1)} GiB (${Math.round(share * 100)} %) free`;
  const about = `${setting}: the disk of ${path} has ${left}`;
  const remedy = 'Free space, or move the folder to a larger disk; retention: docs/operations.md';
  if (inodes < 0.02)
    return fault(`${setting}: the disk of ${path} has no inodes left for more files`, remedy);
  if (free < GIB / 4 || (share < 0.02 && free < 5 * GIB)) return fault(about, remedy);
  if (share < 0.1 && free < 20 * GIB) return warning(about, remedy);
  return ok(about);
}
