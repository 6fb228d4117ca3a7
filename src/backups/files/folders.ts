import type { Stats } from 'node:fs';
import { lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../../platform/config/config.js';
import { AGENT_ID } from '../../platform/http/agent-id.js';
import { codeOf } from './file-errors.js';

/** The folders of an agent: reports, staged files, and their destinations. */
export type AgentFolder = 'log' | 'database' | 'archive' | 'rejected' | 'quarantine';

/** Where agents put reports and files, an absolute path. */
export function inboxRoot({ backupInboxDir, dataDir }: Config): string {
  return resolve(backupInboxDir ?? join(dataDir, 'backups', 'inbox'));
}

/** Where verified backups are stored, an absolute path. */
export function storeRoot({ backupStoreDir, dataDir }: Config): string {
  return resolve(backupStoreDir ?? join(dataDir, 'backups', 'store'));
}

/** A link or a file where a folder is expected: a link would lead the scan out of the agent's folder. */
export class FolderRefused extends Error {
  // Handled like an error of the file system.
  readonly syscall = 'lstat';

  constructor(
    message: string,
    readonly isLink = false,
  ) {
    super(message);
  }
}

/**
 * The path of a folder below `root`, every part of which is a real folder; null if one does not exist.
 * @throws FolderRefused for a link or anything else, and file system errors (EACCES, EIO).
 */
export async function folderWithin(root: string, steps: readonly string[]): Promise<string | null> {
  let path: string;
  try {
    path = await realpath(root);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  for (const step of steps) {
    path = join(path, step);
    let stats: Stats;
    try {
      stats = await lstat(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
    if (!stats.isDirectory()) throw new FolderRefused(`${step} is not a folder`, stats.isSymbolicLink());
  }
  return path;
}

/** Like `folderWithin`, but creates the last folder if it does not exist. */
export async function makeFolderWithin(root: string, steps: readonly string[]): Promise<string> {
  const found = await folderWithin(root, steps);
  if (found !== null) return found;
  await mkdir(join(await realpath(root), ...steps)).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  const made = await folderWithin(root, steps);
  if (made === null) throw new FolderRefused(`${steps.join('/')} was removed`);
  return made;
}

/** The folders in a tenant's inbox, by name. */
export interface InboxFolders {
  /** Includes links, which `folderWithin` refuses later. */
  agents: string[];
  /** Folders whose names are not valid agent ids: they are not read. */
  ignored: string[];
}

/** Lists a tenant's inbox. Skips hidden folders and lost+found. */
export async function foldersIn(root: string, slug: string): Promise<InboxFolders> {
  const folder = await folderWithin(root, [slug]);
  if (folder === null) return { agents: [], ignored: [] };
  const found = await readdir(folder, { withFileTypes: true });
  const names = found
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.') && name !== 'lost+found')
    .sort();
  return {
    agents: names.filter((name) => AGENT_ID.test(name)),
    ignored: names.filter((name) => !AGENT_ID.test(name)),
  };
}
