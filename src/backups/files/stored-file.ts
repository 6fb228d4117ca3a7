import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { codeOf, type FileError, isFileSystemError } from './file-errors.js';
import { inParallel } from './in-parallel.js';
import { openNoFollow } from './open-file.js';
import { readThrough } from './read-through.js';

/** Another file already has this path. Nothing is overwritten. */
export class TargetTaken extends Error {
  // An uncaught one is handled like a file system error.
  readonly syscall = 'link';
  readonly code = 'EEXIST';
}

/**
 * A copy under a temporary name beside its final path. It gets its final name when it is complete, verified and
 * fsynced.
 */
export class IncomingCopy {
  private constructor(
    readonly handle: FileHandle,
    private readonly beside: string,
    private readonly target: string,
    /** Parent folders that may not be fsynced yet. */
    private readonly unsynced: readonly string[],
  ) {}

  /**
   * Each copy has a unique temporary name: a scan that lost its lease must not publish a copy that another scan has
   * begun.
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
   * Fsyncs the copy and renames it to its final path. The caller has verified the content. Removes the copy on failure:
   * it would take the space that the next try needs.
   * @returns the folders to `syncFolders` before anything relies on the file's name.
   * @throws TargetTaken if the path is taken.
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

  /** Removes a copy that is incomplete or not needed. */
  async discard(): Promise<void> {
    await this.handle.close();
    await unlinkIfThere(this.beside);
  }
}

/** Removes the copies of these entries that killed scans left. */
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

/** Links and unlinks: a link fails if the name is taken, a rename would replace the file. @throws TargetTaken */
export async function putInPlace(beside: string, target: string): Promise<void> {
  try {
    await link(beside, target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw new TargetTaken();
    // Some network and FAT file systems have no links. Only Vigie writes here, so checking first is enough.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    if (await pathExists(target)) throw new TargetTaken();
    await rename(beside, target);
    return;
  }
  await unlink(beside);
}

/** Folders that this process has fsynced. */
const syncedFolders = new Set<string>();
const MAX_SYNCED_FOLDERS = 10_000;

/**
 * Creates a folder below `root` with its parents. @returns the folders that may not be fsynced yet, the deepest first.
 * Includes existing folders: the scan that created them may have been killed before its fsync.
 */
async function makeFolders(root: string, folder: string): Promise<string[]> {
  const first = await makeFolder(folder);
  const made = first?.length ?? Infinity;
  const top = made > root.length ? root.length : dirname(folder.slice(0, made)).length;
  const unsynced: string[] = [];
  // A folder created just now may have replaced an older one of the same name, which was fsynced.
  for (
    let path = folder;
    path.length > top && (path.length >= made || !syncedFolders.has(path));
    path = dirname(path)
  )
    unsynced.push(path);
  return unsynced;
}

/** Creates a folder with its parents. @returns the first one that was created */
async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true, mode: 0o750 });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // Node throws ENOENT too if there are no free inodes: the failed call gives the real reason.
    let missing = folder;
    while (!(await pathExists(dirname(missing)))) missing = dirname(missing);
    await mkdir(missing, { mode: 0o750 });
    throw error;
  }
}

/** A folder with a new name in it, and its parents that may not be fsynced yet. */
export interface UnsyncedFolders {
  folder: string;
  unsynced: readonly string[];
}

/** Concurrent fsyncs. */
const MAX_SYNCS = 4;

/**
 * Fsyncs the names of new files and their paths: each folder once, however many files it has. A failed fsync is not
 * retried: Linux may report success although the data is lost.
 * @returns the errors by folder; empty if all are fsynced.
 */
export async function syncFolders(
  published: readonly UnsyncedFolders[],
): Promise<ReadonlyMap<string, FileError>> {
  const failures = new Map<string, FileError>();
  await inParallel([...new Set(published.flatMap(foldersOf))], MAX_SYNCS, async (folder) => {
    try {
      await syncFolder(folder);
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      failures.set(folder, error);
    }
  });
  const synced = published.flatMap(({ unsynced }) => unsynced).filter((path) => !failures.has(dirname(path)));
  if (syncedFolders.size + synced.length > MAX_SYNCED_FOLDERS) syncedFolders.clear();
  for (const path of synced) syncedFolders.add(path);
  return failures;
}

/** Why the name of a file is not fsynced; undefined if it is. */
export function syncFailure(
  published: UnsyncedFolders,
  failures: ReadonlyMap<string, FileError>,
): FileError | undefined {
  return foldersOf(published)
    .map((folder) => failures.get(folder))
    .find((failure) => failure !== undefined);
}

/** The folders that hold the names of a file and of its unsynced parents. */
function foldersOf({ folder, unsynced }: UnsyncedFolders): string[] {
  return [folder, ...unsynced.map((path) => dirname(path))];
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
  const published = { folder, unsynced: await makeFolders(root, folder) };
  const failure = syncFailure(published, await syncFolders([published]));
  if (failure !== undefined) throw failure;
}

function openStored(root: string, path: string): Promise<FileHandle> {
  return openNoFollow(join(root, path));
}

/** SHA-256 of a stored file, and its size in bytes; null if there is none. */
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

export async function pathExists(path: string): Promise<boolean> {
  return (await statsOf(path)) !== null;
}

/** Stats of the file itself, not of a link's target; null if there is none. */
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

/** For a new file and its parent folders. */
const MIN_INODES = 8;

/** Whether the store has room for a file of that many bytes; true if that is unknown. */
export async function hasRoom(root: string, bytes: number): Promise<boolean> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(root);
    // A file system without an inode table reports 0 inodes.
    return bavail * bsize > bytes && (files === 0 || ffree >= MIN_INODES);
  } catch {
    return true;
  }
}
