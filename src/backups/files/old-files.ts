import { constants } from 'node:fs';
import { lstat, open, opendir, readlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './file-errors.js';
import { type AgentFolder, folderWithin, FolderRefused } from './folders.js';

/** Files deleted from one folder in one night. */
const MAX_FILES = 10_000;

/**
 * Deletes the files of an agent's folder that are older than `before`. The age counts from a file's arrival
 * in the folder (ctime: a rename sets it, and agents cannot), or from its last change if that is later. Does
 * not follow links or enter subfolders, and skips an agent's folder that is not a real folder.
 * @param steps from `root` to the folder
 * @returns the number of deleted files
 * @throws file system errors (EACCES, EIO)
 */
export async function deleteOldFiles(
  root: string,
  steps: readonly [slug: string, agent: string, folder: AgentFolder],
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  const path = await folderWithin(root, steps).catch((error: unknown) => {
    if (error instanceof FolderRefused) return null;
    throw error;
  });
  if (path === null) return 0;
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    // On Linux, use the open folder itself: an agent cannot replace it with a link in the meantime.
    const opened = `/proc/self/fd/${folder.fd}`;
    const target = await readlink(opened).catch(() => null);
    if (target !== null && target !== path) return 0;
    return await deleteIn(target === null ? path : opened, before.getTime(), signal);
  } finally {
    await folder.close();
  }
}

async function deleteIn(folder: string, before: number, signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for await (const { name } of await opendir(folder)) {
    signal.throwIfAborted();
    if (deleted === MAX_FILES) break;
    if (await deleteIfOld(join(folder, name), before)) deleted += 1;
  }
  return deleted;
}

async function deleteIfOld(path: string, before: number): Promise<boolean> {
  try {
    const stats = await lstat(path);
    // A link is deleted itself, never what it leads to.
    if (!stats.isFile() && !stats.isSymbolicLink()) return false;
    if (Math.max(stats.ctimeMs, stats.mtimeMs) >= before) return false;
    await unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
