import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { codeOf } from './file-errors.js';
import { inParallel } from './in-parallel.js';
import { openNoFollow } from './open-file.js';
import { readThrough } from './read-through.js';

/** Another file is already where this one should be. Nothing is overwritten. */
export class TargetTaken extends Error {
  // A caller that does not catch it handles it like an error of the file system.
  readonly syscall = 'link';
  readonly code = 'EEXIST';
}

/** A copy that is written beside its place. It gets its name when it is complete, checked and fsynced. */
export class IncomingCopy {
  private constructor(
    readonly handle: FileHandle,
    private readonly beside: string,
    private readonly target: string,
    /** Folders above it that may not be fsynced yet. */
    private readonly unsynced: readonly string[],
  ) {}

  /**
   * The copy has a name of its own: a scan that lost its lease must not publish a copy that another scan has begun.
   * @param id of the entry: `removeLeftovers` finds the copy by it if this process is killed.
   */
  static async begin(root: string, path: string, id: string): Promise<IncomingCopy> {
    const target = join(root, path);
    const folder = dirname(target);
    const beside = join(folder, `.${id}.${randomBytes(4).toString('hex')}.part`);
    const unsynced = await makeFolders(root, folder);
    const handle = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640);
    return new IncomingCopy(handle, beside, target, unsynced);
  }

  /**
   * Fsyncs it and puts it into its place. The caller has checked what was written. A failure leaves nothing beside the
   * place: it would take the room that the next try needs.
   * @returns the folders to `syncFolders` before anything relies on the file's name.
   * @throws TargetTaken when the place is taken.
   */
  async publish(): Promise<UnsyncedFolders> {
    try {
      await this.handle.datasync();
      await this.handle.close();
      await putInPlace(this.beside, this.target);
    } catch (error) {
      await this.discard().catch(() => undefined);
      throw error;
    }
    return { folder: dirname(this.target), unsynced: this.unsynced };
  }

  /** Removes it: it is not wanted, or not complete. */
  async discard(): Promise<void> {
    await this.handle.close();
    await unlinkIfThere(this.beside);
  }
}

/** Removes the copies that killed scans left beside the place of these entries. */
export async function removeLeftovers(
  root: string,
  entries: readonly { id: string; path: string }[],
): Promise<void> {
  const folders = new Map<string, Set<string>>();
  for (const { id, path } of entries) {
    const folder = join(root, dirname(path));
    folders.set(folder, (folders.get(folder) ?? new Set()).add(id));
  }
  for (const [folder, ids] of folders) {
    for (const name of await namesIn(folder)) {
      const id = /^\.([0-9a-f-]{36})\.[0-9a-f]+\.part$/.exec(name)?.[1];
      if (id !== undefined && ids.has(id)) await unlinkIfThere(join(folder, name));
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Links and unlinks, because a link fails where the name is taken and a rename would replace it. @throws TargetTaken */
export async function putInPlace(beside: string, target: string): Promise<void> {
  try {
    await link(beside, target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw new TargetTaken();
    // Some network and FAT file systems have no links. Nobody else writes here, so it is enough to look first.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    if (await isThere(target)) throw new TargetTaken();
    await rename(beside, target);
    return;
  }
  await unlink(beside);
}

/** Folders that this process has fsynced. */
const syncedFolders = new Set<string>();
const MAX_SYNCED_FOLDERS = 10_000;

/**
 * Makes a folder below `root` and those above it. @returns those that may not be fsynced yet, the folder first. This
 * includes folders that exist: the scan that made them may have been killed before its fsync.
 */
async function makeFolders(root: string, folder: string): Promise<string[]> {
  const first = await makeFolder(folder);
  const made = first?.length ?? Infinity;
  const top = made > root.length ? root.length : dirname(folder.slice(0, made)).length;
  const unsynced: string[] = [];
  // A folder that was made just now may have replaced an older one of the same name, which was fsynced.
  for (
    let path = folder;
    path.length > top && (path.length >= made || !syncedFolders.has(path));
    path = dirname(path)
  )
    unsynced.push(path);
  return unsynced;
}

/** Makes a folder and those above it. @returns the first one that was made */
async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true, mode: 0o750 });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // Node also says so when there is no inode left: the call that failed says why.
    let missing = folder;
    while (!(await isThere(dirname(missing)))) missing = dirname(missing);
    await mkdir(missing, { mode: 0o750 });
    throw error;
  }
}

/** A folder that has a new name in it, and folders on the path to it that may not be fsynced yet. */
export interface UnsyncedFolders {
  folder: string;
  unsynced: readonly string[];
}

/** Fsyncs at once. */
const MAX_SYNCS = 4;

/** Fsyncs the names of new files and the paths to them: each folder once, however many files it has. */
export async function syncFolders(published: readonly UnsyncedFolders[]): Promise<void> {
  const unsynced = new Set(published.flatMap((one) => one.unsynced));
  const folders = new Set([
    ...published.map(({ folder }) => folder),
    ...[...unsynced].map((path) => dirname(path)),
  ]);
  await inParallel([...folders], MAX_SYNCS, syncFolder);
  if (syncedFolders.size + unsynced.size > MAX_SYNCED_FOLDERS) syncedFolders.clear();
  for (const path of unsynced) syncedFolders.add(path);
}

/** Fsyncs the names in a folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Fsyncs a stored file and the path to it. */
export async function syncStored(root: string, path: string): Promise<void> {
  const handle = await openStored(root, path);
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
  const folder = dirname(join(root, path));
  await syncFolders([{ folder, unsynced: await makeFolders(root, folder) }]);
}

function openStored(root: string, path: string): Promise<FileHandle> {
  return openNoFollow(join(root, path));
}

/** SHA-256 of a stored file, and its size in bytes; null when there is none. */
export async function readStored(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<{ sha256: string; size: number } | null> {
  let handle: FileHandle;
  try {
    handle = await openStored(root, path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    return await readThrough(handle, null, signal, () => undefined);
  } finally {
    await handle.close();
  }
}

export async function isThere(path: string): Promise<boolean> {
  return (await statsOf(path)) !== null;
}

/** Of the file itself, not of the target of a link; null when there is none. */
export async function statsOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** A new file and the folders above it. */
const MIN_INODES = 8;

/** Whether the store has room for a file of so many bytes; true where that is unknown. */
export async function hasRoom(root: string, bytes: number): Promise<boolean> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(root);
    // A file system without a table of inodes has 0 of them.
    return bavail * bsize > bytes && (files === 0 || ffree >= MIN_INODES);
  } catch {
    return true;
  }
}
