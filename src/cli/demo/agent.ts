import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dumpOf, type SampleAgent, type SampleBackup } from './sample-night.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The content of a STATUS.json. */
export interface StatusJson {
  operation_timestamp_utc: string;
  databases: Record<string, { status: string; hash_sha256: string | null; [field: string]: unknown }>;
}

/** A simulated agent: makes dumps, stages them in its folder of the inbox, and reports them. */
export class Agent {
  private constructor(
    readonly sample: SampleAgent,
    private readonly folder: string,
    private readonly company_name: string,
  ) {}

  /** @param inbox the tenant's */
  static async set(sample: SampleAgent, inbox: string, company: string): Promise<Agent> {
    const agent = new Agent(sample, join(inbox, sample.agent_id), company);
    for (const folder of ['log', 'database']) await mkdir(join(agent.folder, folder), { recursive: true });
    return agent;
  }

  /** Makes the night's backups and stages their files. @returns the report */
  async backUp(backups: readonly SampleBackup[], at: Date): Promise<StatusJson> {
    const databases: StatusJson['databases'] = {};
    for (const backup of backups) databases[backup.database_name] = await this.one(backup, at);
    const { agent_id, city, neighborhood } = this.sample;
    const { company_name } = this;
    const report = { agent_id, company_name, city, neighborhood, databases };
    return { operation_timestamp_utc: at.toISOString(), ...report };
  }

  private async one(backup: SampleBackup, at: Date): Promise<StatusJson['databases'][string]> {
    const { database_name, status, error, arrives, wrong_size } = backup;
    const { file, size_before } = dumpOf(database_name, at);
    const begun = new Date(at.getTime() - 90_000).toISOString();
    if (status === 'failed') return { status, hash_sha256: null, ...told(error, begun, at, 'not started') };
    const staged_file_name = `${database_name}_${at.toISOString().replace(/[-:]|\.\d+/g, '')}.sql.gz`;
    if (arrives !== 'nothing') {
      const came = arrives === 'whole' ? file : file.subarray(0, file.length / 2);
      await this.put('database', staged_file_name, came);
    }
    return {
      status,
      hash_sha256: sha256(file),
      staged_file_name,
      size_bytes: wrong_size ? size_before : file.length,
      compress_size_pre_compress: size_before,
      compress_size_post_compress: file.length,
      logs_summary: 'pg_dump 17.5, gzip -6',
      ...told(error, begun, at, error === null ? 'completed' : 'interrupted'),
    };
  }

  /** Drops a report into its folder. */
  async drop(report: StatusJson): Promise<void> {
    const stamp = report.operation_timestamp_utc.replace(/[-:]|\.\d+/g, '');
    await this.put('log', `${stamp}_STATUS.json`, JSON.stringify(report, null, 2));
  }

  /** Names in one of its folders. */
  async files(folder: 'log' | 'database' | 'archive' | 'quarantine'): Promise<string[]> {
    const path = join(this.folder, folder);
    return existsSync(path) ? (await readdir(path)).sort() : [];
  }

  /** Writes under another name until the file is complete, as an agent should. */
  private async put(folder: 'log' | 'database', name: string, content: Buffer | string): Promise<void> {
    const path = join(this.folder, folder, name);
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  }
}

function told(error: string | null, begun: string, at: Date, transfer: string) {
  const failed = transfer === 'interrupted';
  return {
    agent_transfer_process_status: transfer,
    agent_transfer_process_start_time_utc: transfer === 'not started' ? null : begun,
    agent_transfer_process_timestamp_utc: transfer === 'not started' ? null : at.toISOString(),
    agent_transfer_error_message: failed ? error : null,
    error_msg: failed ? null : error,
  };
}

/** SHA-256 of each file below a folder, sorted. Skips hidden files, such as the marker of the store. */
export async function hashesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name));
  const hashes = await Promise.all(files.map(async (path) => sha256(await readFile(path))));
  return hashes.sort();
}
