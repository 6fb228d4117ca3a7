import { constants, type Stats } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  link,
  lstat,
  open,
  opendir,
  rename,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './file-errors.js';
import { folderWithin, makeFolderWithin } from './folders.js';
import { identityOf, hasTemporaryName } from './staged-file.js';
import { REPORT_LIMIT } from '../reports/status-report.js';
import { isThere, statsOf, syncFolder, unlinkIfThere } from './stored-file.js';
import { bytesHash } from '../reports/report-text.js';

/** A file that was changed this short a time ago may be about to change again, in ms. */
const YOUNG_MS = 5_000;
/** How long a young file has to stand still, in ms. */
const STILL_MS = 1_000;
/** Reports of one agent that one scan takes; the next takes the others. */
const MOST_REPORTS = 2_000;

/** A file as one look saw it. */
export interface SeenFile {
  path: string;
  name: string;
  stats: Stats;
}

/**
 * Those of the files that nobody is writing: one that is young is looked at again, all of them after the same wait.
 * @param now ms; a file from the future counts as young.
 */
export async function settled<Seen extends SeenFile>(files: readonly Seen[], now: number): Promise<Seen[]> {
  const young = files.filter(({ stats }) => stats.mtimeMs > now - YOUNG_MS);
  if (young.length === 0) return [...files];
  await delay(STILL_MS);
  const moving = new Set<Seen>();
  for (const file of young) {
    const stats = await lstat(file.path).catch(() => null);
    if (stats === null || identityOf(stats) !== identityOf(file.stats)) moving.add(file);
  }
  return files.filter((file) => !moving.has(file));
}

/**
 * The report files of an agent that are whole by their names, in the order of these.
 * @param onUnreadable told of each that can't be looked at.
 * @returns up to 2,000, and whether there are more: the next scan takes those.
 */
export async function reportFiles(
  root: string,
  agent: readonly string[],
  onUnreadable: (error: unknown) => void,
): Promise<{ files: SeenFile[]; more: boolean }> {
  const folder = await folderWithin(root, [...agent, 'log']);
  if (folder === null) return { files: [], more: false };
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) {
    if (name.endsWith('STATUS.json') && !hasTemporaryName(name)) names.push(name);
  }
  const files: SeenFile[] = [];
  for (const name of names.sort().slice(0, MOST_REPORTS)) {
    const path = join(folder, name);
    try {
      const stats = await lstat(path);
      if (!stats.isDirectory()) files.push({ path, name, stats });
    } catch (error) {
      // A name that is not UTF-8 is read as one that is not there.
      if (codeOf(error) !== 'ENOENT' || name.includes('\ufffd')) onUnreadable(error);
    }
  }
  return { files, more: names.length > MOST_REPORTS };
}

/** The bytes of a report, or why they are not read. */
export type ReportBytes = { bytes: Buffer } | { refused: string; sha256: string } | 'moving';

/** Reads a small file as it was seen. @throws what the file system says (EACCES, EIO). */
export async function readReportFile({ path, name, stats: seen }: SeenFile): Promise<ReportBytes> {
  const refused = (why: string): ReportBytes => ({
    refused: why,
    sha256: bytesHash(`${name}\n${identityOf(seen)}`),
  });
  if (seen.isSymbolicLink()) return refused('the file is a symbolic link');
  if (!seen.isFile()) return refused('this is not a file');
  if (seen.size > REPORT_LIMIT)
    return refused(`the file has ${seen.size} bytes: a report may have ${REPORT_LIMIT}`);
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes(codeOf(error) ?? '')) return 'moving';
    throw error;
  }
  try {
    const bytes = Buffer.alloc(seen.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length > seen.size) break;
    }
    if (identityOf(await handle.stat()) !== identityOf(seen) || length !== seen.size) return 'moving';
    return { bytes: bytes.subarray(0, length) };
  } finally {
    await handle.close();
  }
}

/**
 * Moves a file of an agent into another of its folders, and never over another file there.
 * @param mark goes into its name where that is taken.
 * @param reason is written beside it first: a move that is cut off is made again, reason and all.
 */
export async function moveTo(
  root: string,
  agent: readonly string[],
  { path, name, stats }: SeenFile,
  { folder, mark, reason }: { folder: 'archive' | 'rejected' | 'quarantine'; mark: string; reason?: string },
): Promise<void> {
  const target = await makeFolderWithin(root, [...agent, folder]);
  const there = await statsOf(path);
  // Somebody has put another file there meanwhile: that one is not the one that was looked at.
  if (there === null || identityOf(there) !== identityOf(stats)) return;
  const free = await freeName(target, name, mark);
  if (reason !== undefined) await writeFile(join(target, `${free}.reason`), `${reason}\n`, { mode: 0o640 });
  await moveFile(path, join(target, free), identityOf(stats));
  await syncFolder(target);
}

/** Longest name that leaves room for what is put behind it, in bytes; file systems take 255. */
const LONGEST_NAME = 240;

/** The name itself, or with a mark in it where the name is taken, and cut where it is too long. */
async function freeName(folder: string, name: string, mark: string): Promise<string> {
  if (Buffer.byteLength(name) <= LONGEST_NAME && !(await isThere(join(folder, name)))) return name;
  const dot = name.indexOf('.', 1);
  const extension = dot < 0 ? '' : cut(name.slice(dot), LONGEST_NAME / 2);
  const stem = dot < 0 ? name : name.slice(0, dot);
  for (let count = 1; ; count += 1) {
    const end = `.${mark}${count === 1 ? '' : `-${count}`}${extension}`;
    const candidate = `${cut(stem, LONGEST_NAME - Buffer.byteLength(end))}${end}`;
    if (!(await isThere(join(folder, candidate)))) return candidate;
  }
}

/** The beginning of a text, at most so many bytes of whole characters. */
function cut(text: string, most: number): string {
  let bytes = 0;
  let kept = '';
  for (const sign of text) {
    bytes += Buffer.byteLength(sign);
    if (bytes > most) break;
    kept += sign;
  }
  return kept;
}

/**
 * Takes away a file that was looked at, and no other that comes in its place at this very moment: it gets a name that
 * nobody else uses first, and only then is it certain which one it is.
 * @param id names it meanwhile: a removal that was cut off is ended by the next of the same id.
 */
export async function removeSeen(path: string, identity: string, id: string): Promise<void> {
  const aside = join(dirname(path), `.${id}.gone`);
  if (!(await isThere(aside))) {
    const there = await statsOf(path);
    if (there === null || identityOf(there) !== identity) return;
    await rename(path, aside);
  }
  if (await isStill(aside, identity)) await unlink(aside);
  else await putBack(aside, path);
}

async function isStill(path: string, identity: string): Promise<boolean> {
  return identityOf(await lstat(path)) === identity;
}

/** To its own place, unless there is a newer one. */
async function putBack(aside: string, path: string): Promise<void> {
  await link(aside, path);
  await unlink(aside);
}

/** Renames; where the folder is on another disk, copies beside, and takes the first away. */
async function moveFile(from: string, to: string, identity: string): Promise<void> {
  try {
    await rename(from, to);
    if (!(await isStill(to, identity))) await putBack(to, from);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    const beside = `${to}.part`;
    try {
      await copyFile(from, beside);
      const copy = await open(beside, constants.O_RDONLY);
      try {
        await copy.sync();
      } finally {
        await copy.close();
      }
      await rename(beside, to);
    } catch (failure) {
      await unlinkIfThere(beside).catch(() => undefined);
      throw failure;
    }
    await syncFolder(dirname(to));
    await unlink(from);
  }
}
