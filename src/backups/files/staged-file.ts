import type { Stats } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupReason } from '../../contracts/backups.js';
import { codeOf, isFileSystemError, describeFileError } from './file-errors.js';
import { folderWithin, FolderRefused } from './folders.js';
import { openNoFollow } from './open-file.js';

/** A file as `lstat` saw it. */
export interface SeenFile {
  path: string;
  /** Its name on the disk, which may normalize accents differently from the report. */
  name: string;
  stats: Stats;
}

/** Identifies a file and its state: another file of the same name has another identity. */
export function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}`;
}

/** Why a staged file is not read. */
export interface Refusal {
  reason: Extract<BackupReason, 'unsafe_name' | 'symbolic_link' | 'not_a_file' | 'unreadable'>;
  detail: string | null;
}

export type Staged = { file: SeenFile } | { refused: Refusal } | 'absent';

/** An open staged file. The caller closes it. */
export interface OpenStaged extends SeenFile {
  handle: FileHandle;
}

/** Names of files that are still being written. */
const TEMPORARY_NAME = /^\.|\.(?:part|partial|filepart|tmp)$/i;

/** Whether the name says that the file is still being written. */
export function hasTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/** Whether a name can only refer to a file directly in the folder. */
function isSafeName(name: string): boolean {
  return (
    name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name) && Buffer.byteLength(name) <= 255
  );
}

/** Finds a staged file of an agent without opening it: a FIFO blocks its reader. */
export async function findStaged(root: string, agent: readonly string[], name: string): Promise<Staged> {
  if (!isSafeName(name)) return { refused: { reason: 'unsafe_name', detail: null } };
  if (hasTemporaryName(name)) return 'absent';
  let folder: string | null;
  try {
    folder = await folderWithin(root, [...agent, 'database']);
  } catch (error) {
    return unreadable(error);
  }
  if (folder === null) return 'absent';
  // Linux keeps names as written, macOS decomposes them.
  for (const spelling of new Set([name, name.normalize('NFC'), name.normalize('NFD')])) {
    if (!isSafeName(spelling)) continue;
    const path = join(folder, spelling);
    try {
      const stats = await lstat(path);
      if (stats.isSymbolicLink()) return { refused: { reason: 'symbolic_link', detail: null } };
      if (!stats.isFile()) return { refused: { reason: 'not_a_file', detail: null } };
      return { file: { path, name: spelling, stats } };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return unreadable(error);
    }
  }
  return 'absent';
}

/** Opens exactly the file that `findStaged` saw. Follows no link, even if one has replaced the file since. */
export async function openStaged(
  root: string,
  agent: readonly string[],
  { path, name, stats: seen }: SeenFile,
): Promise<{ opened: OpenStaged } | { refused: Refusal } | 'absent' | 'moving'> {
  let handle: FileHandle;
  try {
    handle = await openNoFollow(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return 'absent';
    if (code === 'ELOOP' || code === 'EMLINK') return { refused: { reason: 'symbolic_link', detail: null } };
    return unreadable(error);
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      return { refused: { reason: 'not_a_file', detail: null } };
    }
    const folder = await folderWithin(root, [...agent, 'database']);
    const there = folder === null ? null : await lstat(join(folder, name));
    if (there === null || identityOf(there) !== identityOf(stats) || identityOf(stats) !== identityOf(seen)) {
      await handle.close();
      return 'moving';
    }
    return { opened: { handle, path, name, stats } };
  } catch (error) {
    await handle.close();
    if (codeOf(error) === 'ENOENT') return 'absent';
    return unreadable(error);
  }
}

function unreadable(error: unknown): { refused: Refusal } {
  if (!isFileSystemError(error)) throw error;
  if (error instanceof FolderRefused)
    return { refused: { reason: error.isLink ? 'symbolic_link' : 'unreadable', detail: error.message } };
  return { refused: { reason: 'unreadable', detail: describeFileError(error) } };
}
