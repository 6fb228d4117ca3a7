import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../platform/config/config.js';

/** The end of a file that is being written. */
export const PART = '.part';
export const MANIFEST = '.manifest.json';

/** Where archives are: a folder for each tenant, by its slug. An absolute path. */
export function archiveRoot({ dataDir }: Pick<Config, 'dataDir'>): string {
  return resolve(dataDir, 'archives');
}

/** The path of an archive below its tenant's folder. */
export function archivePath(thing: string, id: string, at: Date): string {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '');
  return `${at.toISOString().slice(0, 7)}/${thing}-${time}-${id}.ndjson.gz`;
}

/**
 * Creates a folder below `root`, with fsync of each new entry: a file in it survives a power failure.
 * @throws Error if a part of the path is a link or a file: it would lead out of the tenant's folder.
 */
export async function makeArchiveFolder(root: string, steps: readonly string[]): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  let folder = await realpath(root);
  for (const step of steps) {
    const parent = folder;
    folder = join(parent, step);
    try {
      await mkdir(folder, { mode: 0o700 });
      await syncFolder(parent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!(await lstat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
  }
  return folder;
}

/** Makes new names in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Creates a file that must not exist yet. */
export async function createFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  await syncFolder(dirname(path));
  return file;
}

/** Opens an existing file, which must not be a link. */
export async function openFile(path: string, write: boolean): Promise<FileHandle> {
  return open(path, (write ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NOFOLLOW);
}
