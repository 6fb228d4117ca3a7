import { type FileHandle, lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bytesHash } from '../reports/report-text.js';
import { REPORT_LIMIT } from '../reports/status-report.js';
import { codeOf } from './file-errors.js';
import { FirstNames } from './first-names.js';
import { folderWithin } from './folders.js';
import { idOfAside, putBack } from './move-file.js';
import { openNoFollow } from './open-file.js';
import { hasTemporaryName, identityOf, type SeenFile } from './staged-file.js';

/** A file changed this recently may still be written to, in ms. */
const YOUNG_MS = 5_000;
/** How long a young file must stay unchanged, in ms. */
const UNCHANGED_MS = 1_000;
/** Reports that one scan reads of one agent; the next scan reads the rest. */
const MAX_REPORTS = 2_000;
/** The suffix of a report's name, in any case: Windows ignores case. */
const REPORT_NAME = /STATUS\.json$/i;

/**
 * The files that are not being written. Stats recently changed files a second time, all after the same wait.
 * @param now ms; a file from the future counts as young.
 */
export async function settled<Seen extends SeenFile>(files: readonly Seen[], now: number): Promise<Seen[]> {
  const young = files.filter(({ stats }) => stats.mtimeMs > now - YOUNG_MS);
  if (young.length === 0) return [...files];
  await delay(UNCHANGED_MS);
  const changed = new Set<Seen>();
  for (const file of young) {
    const stats = await lstat(file.path).catch(() => null);
    if (stats === null || identityOf(stats) !== identityOf(file.stats)) changed.add(file);
  }
  return files.filter((file) => !changed.has(file));
}

/**
 * The report files of an agent that have final names, sorted by name.
 * @param onUnreadable called for each file that cannot be read
 * @returns up to 2,000, and whether there are more: the next scan reads those.
 */
export async function reportFiles(
  root: string,
  agent: readonly string[],
  onUnreadable: (error: unknown) => void,
): Promise<{ files: SeenFile[]; more: boolean }> {
  const folder = await folderWithin(root, [...agent, 'log']);
  if (folder === null) return { files: [], more: false };
  const names = new FirstNames(MAX_REPORTS);
  for await (const { name } of await opendir(folder)) {
    const id = idOfAside(name);
    // A killed scan left this report under a hidden name. Read it again: a known report adds nothing.
    if (id !== null) {
      await putBack(join(folder, name), join(folder, `${id}_STATUS.json`), id).catch(onUnreadable);
      continue;
    }
    if (REPORT_NAME.test(name) && !hasTemporaryName(name)) names.add(name);
  }
  const files: SeenFile[] = [];
  for (const name of names.sorted()) {
    const path = join(folder, name);
    try {
      const stats = await lstat(path);
      if (!stats.isDirectory()) files.push({ path, name, stats });
    } catch (error) {
      // Node decodes a name that is not UTF-8 to one that does not exist.
      if (codeOf(error) !== 'ENOENT' || name.includes('\ufffd')) onUnreadable(error);
    }
  }
  return { files, more: names.hasMore };
}

/** The bytes of a report, or why they were not read. */
export type ReportBytes = { bytes: Buffer } | { refused: string; sha256: string } | 'moving';

/** Reads a small file if it is still the one that was seen. @throws file system errors (EACCES, EIO). */
export async function readReportFile({ path, name, stats: seen }: SeenFile): Promise<ReportBytes> {
  const refused = (why: string): ReportBytes => ({
    refused: why,
    sha256: bytesHash(`${name}\n${identityOf(seen)}`),
  });
  if (seen.isSymbolicLink()) return refused('the file is a symbolic link');
  if (!seen.isFile()) return refused('it is not a file');
  if (seen.size > REPORT_LIMIT)
    return refused(`the file has ${seen.size} bytes; a report may have at most ${REPORT_LIMIT}`);
  let handle: FileHandle;
  try {
    handle = await openNoFollow(path);
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
