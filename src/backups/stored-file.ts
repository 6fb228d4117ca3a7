import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, rename, statfs, unlink } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { codeOf } from './file-errors.js';
import { readThrough } from './verified-copy.js';

/** What decides where a backup is kept. */
export interface Stored {
  company_name: string;
  city: string;
  agent_id: string;
  database_name: string;
  operation_timestamp_utc: Date;
  staged_file_name: string;
}

/** Longest part of a path, in bytes; file systems take 255, and a name has more to it. */
const LONGEST = 180;

/**
 * `<tenant slug>/<company>/<city>/<agent>/<database>/<YYYY>/<MM>/<database>_<UTC timestamp><ext>`, below the store.
 * Parts are percent-encoded where they hold what file systems or people could misread, so that two names never
 * become one.
 */
export function storedPath(slug: string, stored: Stored): string {
  const { company_name, city, agent_id, database_name, operation_timestamp_utc, staged_file_name } = stored;
  const at = operation_timestamp_utc.toISOString();
  const database = part(database_name);
  const timestamp = at.replace(/\.000Z$/, 'Z').replace(/[-:]/g, '');
  return [
    slug,
    part(company_name),
    part(city),
    part(agent_id),
    database,
    at.slice(0, 4),
    at.slice(5, 7),
    `${database}_${timestamp}${extensionOf(staged_file_name)}`,
  ].join('/');
}

/** Text as a part of a path. */
function part(text: string): string {
  const safe = text.normalize('NFC').replace(/[%/\\:*?"<>|\p{Cc}\p{Cf}]|^[.\s-]|[.\s]$/gu, percentEncoded);
  if (Buffer.byteLength(safe) <= LONGEST) return safe;
  const digest = createHash('sha256').update(safe).digest('hex').slice(0, 12);
  return `${Array.from(safe).slice(0, 40).join('')}~${digest}`;
}

function percentEncoded(sign: string): string {
  const codes = Array.from(Buffer.from(sign), (byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return codes.map((code) => `%${code}`).join('');
}

/** `.gz`, or `.sql.gz`; nothing where there is none. */
function extensionOf(name: string): string {
  return /(?:\.[A-Za-z][A-Za-z0-9]{0,9})?\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
}

/** Another file is already where this one should be. Nothing is overwritten. */
export class TargetTaken extends Error {}

/** A copy that is being made beside its place, and is not there before it is whole, checked and on the disk. */
export class IncomingCopy {
  private constructor(
    readonly handle: FileHandle,
    private readonly beside: string,
    private readonly target: string,
    /** Folders that have a new one in them. */
    private readonly grown: readonly string[],
  ) {}

  /** @param id names the copy: one that a killed scan has left is taken up again. */
  static async begin(root: string, path: string, id: string): Promise<IncomingCopy> {
    const target = join(root, path);
    const folder = dirname(target);
    const grown = await makeFolders(folder);
    const beside = join(folder, `.${id}.part`);
    await unlinkIfThere(beside);
    const handle = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640);
    return new IncomingCopy(handle, beside, target, grown);
  }

  /**
   * Puts it into its place, and has the disk keep it and the way to it. The caller has checked what was written.
   * @throws TargetTaken when something is there.
   */
  async publish(): Promise<void> {
    await this.handle.datasync();
    await this.handle.close();
    await putInPlace(this.beside, this.target);
    await Promise.all([dirname(this.target), ...this.grown].map(syncFolder));
  }

  /** It is not wanted, or not whole. */
  async discard(): Promise<void> {
    await this.handle.close();
    await unlinkIfThere(this.beside);
  }
}

/** A link fails where there is something; renaming would replace it. */
async function putInPlace(beside: string, target: string): Promise<void> {
  try {
    await link(beside, target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') {
      await unlinkIfThere(beside);
      throw new TargetTaken();
    }
    // Some network and FAT file systems have no links: nobody else writes here, so looking first does.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    if (await isThere(target)) {
      await unlinkIfThere(beside);
      throw new TargetTaken();
    }
    await rename(beside, target);
    return;
  }
  await unlink(beside);
}

/** Makes a folder and those above it. @returns those that have got a new one. */
async function makeFolders(folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true, mode: 0o750 });
  const grown: string[] = [];
  if (first === undefined) return grown;
  for (let path = folder; path.length >= first.length; path = dirname(path)) grown.push(dirname(path));
  return grown;
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

/** SHA-256 of a stored file, and its size in bytes; null when it is not there. */
export async function readStored(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<{ sha256: string; size: number } | null> {
  let handle: FileHandle;
  try {
    handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
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
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
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
