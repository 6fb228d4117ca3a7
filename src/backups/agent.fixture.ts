import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJob } from '../../test/support/watched.js';
import type { World } from '../../test/support/world.js';
import type { RunCounts } from '../contracts/jobs.js';
import type { AgentFolder } from './files/folders.js';
import { STORE_MARKER } from './store/backup-store.js';

/** Inbox and store of one test file, in one folder that is removed with them. */
export interface BackupFolders {
  root: string;
  env: { BACKUP_INBOX_DIR: string; BACKUP_STORE_DIR: string };
  remove(): Promise<void>;
}

export async function backupFolders(): Promise<BackupFolders> {
  const root = await mkdtemp(join(tmpdir(), 'vigie-backups-'));
  const env = { BACKUP_INBOX_DIR: join(root, 'inbox'), BACKUP_STORE_DIR: join(root, 'store') };
  for (const folder of Object.values(env)) await mkdir(folder);
  await markStore(env.BACKUP_STORE_DIR);
  return { root, env, remove: () => rm(root, { recursive: true, force: true }) };
}

/** Marks a folder as the backup store, as an operator does after moving it. */
export async function markStore(folder: string): Promise<void> {
  await writeFile(join(folder, STORE_MARKER), '');
}

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** An agent's report about one database. */
export type ReportedFields = Record<string, unknown>;

/** An agent's machine: it stages files and drops reports. */
export class TestAgent {
  constructor(
    private readonly folders: BackupFolders,
    readonly slug: string,
    readonly id: string,
  ) {}

  path(folder: AgentFolder, name = ''): string {
    return join(this.folders.env.BACKUP_INBOX_DIR, this.slug, this.id, folder, name);
  }

  /** Files of one of its folders, sorted. */
  files(folder: AgentFolder): string[] {
    return existsSync(this.path(folder)) ? readdirSync(this.path(folder)).sort() : [];
  }

  read(folder: AgentFolder, name: string): string {
    return readFileSync(this.path(folder, name), 'utf8');
  }

  async make(): Promise<this> {
    for (const folder of ['log', 'database'] as const) await mkdir(this.path(folder), { recursive: true });
    return this;
  }

  /** Writes a file with an old modification time, so that the scan treats it as complete. */
  async put(folder: AgentFolder, name: string, content: Buffer | string): Promise<void> {
    await writeFile(this.path(folder, name), content);
    await rest(this.path(folder, name));
  }

  /** A report of these databases, as JSON would be. */
  report(at: string, databases: Record<string, ReportedFields>, changes: Record<string, unknown> = {}) {
    return {
      operation_timestamp_utc: at,
      agent_id: this.id,
      company_name: 'Boulangerie Martin',
      city: 'Lyon',
      databases,
      ...changes,
    };
  }

  /** Drops a report into `log/`. */
  async drop(name: string, report: unknown): Promise<void> {
    await this.put('log', name, typeof report === 'string' ? report : JSON.stringify(report));
  }

  /** Stages a file. @returns a report that matches it */
  async stage(name: string, content: Buffer | string): Promise<ReportedFields> {
    await this.put('database', name, content);
    return good(name, content);
  }
}

/** A report that matches a file with this content. */
export function good(name: string, content: Buffer | string): ReportedFields {
  return {
    status: 'success',
    hash_sha256: sha256(content),
    size_bytes: Buffer.byteLength(content),
    staged_file_name: name,
  };
}

/** Sets the file's modification time far in the past. */
export async function rest(path: string): Promise<void> {
  const then = new Date('2020-01-01T00:00:00Z');
  await utimes(path, then, then);
}

/** Runs a scan of the tenant, as the worker does. @returns its counts */
export async function scan(world: World, tenantId: string): Promise<RunCounts> {
  return runJob(world, tenantId, 'scan-backups');
}

/** The paths of all stored backups. */
export function stored(folders: BackupFolders): string[] {
  return readdirSync(folders.env.BACKUP_STORE_DIR, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== STORE_MARKER)
    .map((entry) => join(entry.parentPath, entry.name).slice(folders.env.BACKUP_STORE_DIR.length + 1))
    .sort();
}
