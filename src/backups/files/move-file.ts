import { constants } from 'node:fs';
import { lstat, open, readlink, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './file-errors.js';
import { makeFolderWithin } from './folders.js';
import { openNoFollow } from './open-file.js';
import { readThrough } from './read-through.js';
import { identityOf, type SeenFile } from './staged-file.js';
import { pathExists, putInPlace, statsOf, syncFolder, TargetTaken, unlinkIfThere } from './stored-file.js';

/** A file's destination and its name there. */
export interface Move {
  folder: 'archive' | 'rejected' | 'quarantine';
  /** Part of the new name where the file's own name is taken. Unique to this file. */
  mark: string;
  /** Written to `<name>.reason` before the move, so that a repeated move writes it again. */
  reason?: string;
  /** Aborts the copy of a large file to another disk. */
  signal: AbortSignal;
}

/**
 * Moves a file into another folder of its agent. Never overwrites a file there. Does nothing if the name now belongs to
 * another file than the one that was seen.
 * @param agent the steps from `root` to the agent's folder
 * @throws file system errors; the file then stays where it is.
 */
export async function moveTo(
  root: string,
  agent: readonly string[],
  seen: SeenFile,
  { folder, mark, reason, signal }: Move,
): Promise<void> {
  const target = await makeFolderWithin(root, [...agent, folder]);
  const current = await statsOf(seen.path);
  if (current === null || identityOf(current) !== identityOf(seen.stats)) return;
  const name = await freeName(target, seen.name, mark);
  if (reason !== undefined) await writeReason(join(target, `${name}.reason`), reason);
  await moveFile(seen, join(target, name), mark, signal);
  await syncFolder(target);
}

/** `wx` follows no link. An existing file is from an earlier try, or was planted: replace it. */
async function writeReason(path: string, reason: string): Promise<void> {
  await unlinkIfThere(path);
  await writeFile(path, `${reason}\n`, { mode: 0o640, flag: 'wx' });
}

/** Renames; copies where the folder is on another disk. */
async function moveFile(seen: SeenFile, to: string, mark: string, signal: AbortSignal): Promise<void> {
  try {
    await rename(seen.path, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copyToOtherDisk(seen, to, signal);
    await removeSeen(seen.path, identityOf(seen.stats), mark);
    return;
  }
  // Another file may have taken the name just before the rename.
  if (!(await hasIdentity(to, identityOf(seen.stats)))) await putBack(to, seen.path, mark);
}

/** Writes the copy under a temporary name; it gets its final name when it is complete and fsynced. */
async function copyToOtherDisk(seen: SeenFile, to: string, signal: AbortSignal): Promise<void> {
  const beside = `${to}.part`;
  // A killed scan may have left a copy.
  await unlinkIfThere(beside);
  try {
    if (seen.stats.isSymbolicLink()) await symlink(await readlink(seen.path), beside);
    else await copyOpened(seen, beside, signal);
    await putInPlace(beside, to);
  } catch (failure) {
    await unlinkIfThere(beside).catch(() => undefined);
    throw failure;
  }
  await syncFolder(dirname(to));
}

/**
 * Copies exactly the file that was seen: follows no link, waits for no writer, and checks the file before and after.
 */
async function copyOpened({ path, stats }: SeenFile, beside: string, signal: AbortSignal): Promise<void> {
  if (!stats.isFile()) throw new FileNotCopied('it is not a file and cannot be moved to another disk');
  const source = await openNoFollow(path);
  try {
    const assertSeen = async () => {
      if (identityOf(await source.stat()) === identityOf(stats)) return;
      throw new FileNotCopied('the file changed while it was being moved');
    };
    await assertSeen();
    const copy = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640);
    try {
      const { not_copied } = await readThrough(source, copy, signal, () => undefined);
      if (not_copied !== null) throw not_copied;
      await assertSeen();
      await copy.datasync();
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

/** The file cannot be copied now. Handled like a file system error. */
class FileNotCopied extends Error {
  readonly syscall = 'copyfile';
}

/**
 * Removes a file that was seen, and no other file that takes its name at that moment. First renames the file to a
 * unique name; only then is it certain which file it is.
 * @param id part of the unique name: the next call with the same id finishes an interrupted removal.
 * @returns the new name of another file that was renamed by mistake and could not get its own name back, else null.
 */
export async function removeSeen(path: string, identity: string, id: string): Promise<string | null> {
  const aside = join(dirname(path), `.${id}.gone`);
  if (!(await pathExists(aside))) {
    const current = await statsOf(path);
    if (current === null || identityOf(current) !== identity) return null;
    await rename(path, aside);
  }
  if (!(await hasIdentity(aside, identity))) return putBack(aside, path, id);
  await unlink(aside);
  return null;
}

/** A name that `removeSeen` uses: a killed scan may have left it in a folder. @returns its id. */
export function idOfAside(name: string): string | null {
  return /^\.([0-9a-f-]+)\.gone$/.exec(name)?.[1] ?? null;
}

async function hasIdentity(path: string, identity: string): Promise<boolean> {
  return identityOf(await lstat(path)) === identity;
}

/**
 * Restores a file's name. If a newer file has the name, it becomes `<mark>_<name>` instead. The suffix stays, because
 * reports are recognized by it.
 * @returns the other name, else null.
 */
export async function putBack(aside: string, path: string, mark: string): Promise<string | null> {
  const folder = dirname(path);
  const name = path.slice(folder.length + 1);
  for (let count = 0; ; count += 1) {
    const prefix = count < 2 ? mark : `${mark}-${count}`;
    const candidate = count === 0 ? name : `${prefix}_${endOf(name, MAX_NAME_BYTES - prefix.length - 1)}`;
    if (await isSameFile(aside, join(folder, candidate))) {
      // A killed scan got as far as the new link.
      await unlink(aside);
    } else {
      try {
        await putInPlace(aside, join(folder, candidate));
      } catch (error) {
        if (error instanceof TargetTaken) continue;
        throw error;
      }
    }
    return count === 0 ? null : candidate;
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([lstat(one), statsOf(other)]);
  return second !== null && first.dev === second.dev && first.ino === second.ino;
}

/** Longest name that leaves room for an ending such as `.reason`, in bytes; file systems take 255. */
const MAX_NAME_BYTES = 240;

/** The name itself, or with a mark in it where the name is taken, and shortened where it is too long. */
async function freeName(folder: string, name: string, mark: string): Promise<string> {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES && !(await pathExists(join(folder, name)))) return name;
  const dot = name.indexOf('.', 1);
  const extension = dot < 0 ? '' : beginningOf(name.slice(dot), MAX_NAME_BYTES / 2);
  const stem = dot < 0 ? name : name.slice(0, dot);
  for (let count = 1; ; count += 1) {
    const end = `.${mark}${count === 1 ? '' : `-${count}`}${extension}`;
    const candidate = `${beginningOf(stem, MAX_NAME_BYTES - Buffer.byteLength(end))}${end}`;
    if (!(await pathExists(join(folder, candidate)))) return candidate;
  }
}

/** The first characters of a text, at most so many bytes. */
function beginningOf(text: string, bytes: number): string {
  return firstCharacters(Array.from(text), bytes).join('');
}

/** The last characters of a text, at most so many bytes. */
function endOf(text: string, bytes: number): string {
  return firstCharacters(Array.from(text).reverse(), bytes).reverse().join('');
}

function firstCharacters(characters: readonly string[], maxBytes: number): string[] {
  let bytes = 0;
  const end = characters.findIndex((character) => (bytes += Buffer.byteLength(character)) > maxBytes);
  return end < 0 ? [...characters] : characters.slice(0, end);
}
