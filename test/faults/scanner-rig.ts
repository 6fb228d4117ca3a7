import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BackupFolders } from '../../src/backups/agent.fixture.js';
import { Api } from '../../src/cli/demo/api.js';
import type { ServerProcess } from '../support/processes.js';
import { until } from '../support/until.js';
import { type Installation, OPERATOR } from './installation.js';
import { MORNING, ScannerWork } from './scanner-work.js';

export const KILLS = ['before', 'after'] as const;
export const ERRORS = ['ENOSPC', 'EIO', 'EXDEV', 'EACCES'] as const;

/** A step of the scan, and its fault. */
export interface Fault {
  /** From 1; 0 means none. */
  step: number;
  act: (typeof KILLS)[number] | (typeof ERRORS)[number] | '';
}

/** A step of a scan: a file system call, or a statement. */
export interface Step {
  call: string;
  path: string;
}

export const NONE: Fault = { step: 0, act: '' };
const SCANNED_MS = 20_000;
const TOKEN_MS = 600_000;

/** A worker whose scans can fail at each of their steps, and a web process that triggers them. */
export class ScannerRig {
  private readonly plan: string;
  private readonly clock: string;
  private url: string;
  private operator: Promise<Api> | undefined;
  private signedInAt = 0;
  worker: ServerProcess;
  /** The number of arranged works. */
  works = 0;

  constructor(
    private readonly installation: Installation,
    readonly folders: BackupFolders,
  ) {
    this.plan = join(folders.root, 'plan');
    this.clock = join(folders.root, 'clock');
  }

  async start(): Promise<void> {
    writeFileSync(this.clock, String(Date.parse(MORNING)));
    this.inject(NONE);
    ({ url: this.url } = await this.installation.startProcess('web'));
    this.worker = await this.startWorker();
  }

  /** The steps of the last scan. */
  steps(): Step[] {
    const lines = readFileSync(`${this.plan}.steps`, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Step);
  }

  /** @param seen the folders' paths for checks, if they differ. */
  arrange(seen: Partial<BackupFolders['env']> = {}): Promise<ScannerWork> {
    this.works += 1;
    const folders = { ...this.folders, env: { ...this.folders.env, ...seen } };
    return ScannerWork.arrange(this.installation, folders, `tenant-${this.works}`);
  }

  /** Injects a fault into the next scan. */
  inject(fault: Fault): void {
    // The same fault must give a different plan, so that counting restarts.
    writeFileSync(this.plan, JSON.stringify({ ...fault, work: this.works }));
  }

  /** Replaces the worker by one that sees its folders differently. */
  async moveWorker(within: readonly string[]): Promise<void> {
    this.inject(NONE);
    await this.worker.stop();
    this.worker = await this.startWorker(within);
  }

  private async startWorker(within: readonly string[] = []): Promise<ServerProcess> {
    const module = (name: string) => `--import ${pathToFileURL(resolve('test/faults', name)).href}`;
    const environment = {
      NODE_OPTIONS: `${module('moved-clock.mjs')} ${module('faulty-calls.mjs')}`,
      MOVED_CLOCK_FILE: this.clock,
      FAULTY_CALLS_FILE: this.plan,
      FAULTY_CALLS_BELOW: `${this.folders.env.BACKUP_INBOX_DIR}:${this.folders.env.BACKUP_STORE_DIR}`,
    };
    return this.installation.startProcess('worker', environment, within);
  }

  /** Logs in as an operator, again before the token expires after a quarter of an hour. */
  private signedIn(): Promise<Api> {
    if (this.operator === undefined || performance.now() - this.signedInAt > TOKEN_MS) {
      this.signedInAt = performance.now();
      const api = new Api(this.url);
      this.operator = api
        .call<{ access_token: string }>('POST', 'auth/login', OPERATOR)
        .then(({ access_token }) => api.withToken(access_token));
    }
    return this.operator;
  }

  /** Runs a scan to its end, or to the worker's: then starts another worker, and expires the lost run's lease. */
  async scan({ slug, tenant_id }: ScannerWork): Promise<string> {
    let killed = false;
    void this.worker.ended.then(() => (killed = true));
    await (await this.signedIn()).call('POST', `admin/scheduler/scan-backups/trigger?tenant=${slug}`);
    const state = await until(
      'the scan to end',
      async () => {
        const [run] = await this.installation.sql<{ state: string; error: string | null }>(
          `SELECT state, error FROM job_runs WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1`,
          [tenant_id],
        );
        if (run !== undefined && ['succeeded', 'failed'].includes(run.state)) return run.error ?? run.state;
        return killed ? 'killed' : null;
      },
      SCANNED_MS,
    );
    if (state !== 'killed') return state;
    await this.installation.sql(
      `UPDATE job_runs SET lease_until = now() WHERE tenant_id = $1 AND state = 'running'`,
      [tenant_id],
    );
    this.worker = await this.startWorker();
    return state;
  }
}
