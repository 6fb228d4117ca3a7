import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { codeOf } from './file-errors.js';
import { readThrough } from './read-through.js';

/** Another file is already where this one should be. Nothing is overwritten. */
export class TargetTaken extends Error {}

/** A copy that is being made beside its place, and is not there before it is whole, checked and on the disk. */
export class IncomingCopy {
  private constructor(
    readonly handle: FileHandle,
    private readonly beside: string,
    private readonly target: string,
    /** Folders on the way to it that the disk may not keep yet. */
    private readonly unkept: readonly string[],
  ) {}

  /**
   * Its name is its own: a scan that has lost its lease must not put in place what another has begun meanwhile.
   * @param id of the entry: by it the copy is found, should this process be killed.
   */
  static async begin(root: string, path: string, id: string): Promise<IncomingCopy> {
    const target = join(root, path);
    const folder = dirname(target);
    const beside = join(folder, `.${id}.${randomBytes(4).toString('hex')}.part`);
    const unkept = await makeFolders(root, folder);
    const handle = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640);
    return new IncomingCopy(handle, beside, target, unkept);
  }

  /**
   * Puts it into its place, and has the disk keep it and the way to it. The caller has checked what was written. When
   * that fails nothing is left beside: it would take up the room that the next try needs.
   * @throws TargetTaken when something is there.
   */
  async publish(): Promise<void> {
    try {
      await this.handle.datasync();
      await this.handle.close();
      await putInPlace(this.beside, this.target);
    } catch (error) {
      await this.discard().catch(() => undefined);
      throw error;
    }
    await keep(dirname(this.target), this.unkept);
  }

  /** It is not wanted, or not whole. */
  async discard(): Promise<void> {
    await this.handle.close();
    await unlinkIfThere(this.beside);
  }
}

/** Takes away what killed scans have left beside the place of these entries. */
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

/** A link fails where there is something; renaming would replace it. */
async function putInPlace(beside: string, target: string): Promise<void> {
  try {
    await link(beside, target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw new TargetTaken();
    // Some network and FAT file systems have no links: nobody else writes here, so looking first does.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    if (await isThere(target)) throw new TargetTaken();
    await rename(beside, target);
    return;
  }
  await unlink(beside);
}

/** Folders that the disk is known to keep. */
const lasting = new Set<string>();
const MOST_LASTING = 10_000;

/**
 * Makes a folder below `root` and those above it. @returns those of them that the disk may not keep yet, the folder
 * first: one that is there already may be of a scan that was killed before it came to that.
 */
async function makeFolders(root: string, folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true, mode: 0o750 });
  const made = first?.length ?? Infinity;
  const top = made > root.length ? root.length : dirname(folder.slice(0, made)).length;
  const unkept: string[] = [];
  // What was made just now may have had a forerunner of that name, which the disk did keep.
  for (
    let path = folder;
    path.length > top && (path.length >= made || !lasting.has(path));
    path = dirname(path)
  )
    unkept.push(path);
  return unkept;
}

/** Has the disk keep a name in `folder`, and the way to it. @param unkept folders that it may not keep yet. */
async function keep(folder: string, unkept: readonly string[]): Promise<void> {
  await Promise.all([folder, ...unkept.map((path) => dirname(path))].map(syncFolder));
  if (lasting.size + unkept.length > MOST_LASTING) lasting.clear();
  for (const path of unkept) lasting.add(path);
}

/** Has the disk keep which names a folder holds. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Has the disk keep a stored file and the way to it. */
export async function syncStored(root: string, path: string): Promise<void> {
  const handle = await openStored(root, path);
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
  const folder = dirname(join(root, path));
  await keep(folder, await makeFolders(root, folder));
}

/** Neither follows a link nor waits for a writer. */
function openStored(root: string, path: string): Promise<FileHandle> {
  return open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** SHA-256 of a stored file, and its size in bytes; null when it is not there. */
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

/** Of the file itself, not of what a link leads to; null when it is not there. */
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

/** Whether the store has room for so many bytes; true where nobody can tell. */
export async function hasRoom(root: string, bytes: number): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(root);
    return bavail * bsize > bytes;
  } catch {
    return true;
  }
}
