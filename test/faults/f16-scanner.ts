import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BackupFolders, backupFolders } from '../../src/backups/agent.fixture.js';
import { Api } from '../../src/cli/demo/api.js';
import type { ServerProcess } from '../support/processes.js';
import { until } from '../support/until.js';
import { OPERATOR } from './installation.js';
import { Random } from './random.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import { MORNING, type Outcome, ScannerWork } from './scanner-work.js';
import { onStage, type Stage } from './stage.js';

const KILLS = ['before', 'after'] as const;
const ERRORS = ['ENOSPC', 'EIO', 'EXDEV', 'EACCES'] as const;
const SCANNED_MS = 20_000;
const TOKEN_MS = 600_000;

/** A step of the scan, and what happens there. */
interface Fault {
  /** From 1; 0 is none. */
  step: number;
  act: (typeof KILLS)[number] | (typeof ERRORS)[number] | '';
}

/** What the scan does at a step. */
interface Step {
  call: string;
  path: string;
}

export const f16: Scenario = {
  id: 'F16',
  title:
    'the scanner of backups: kill -9 before and after each step, and each call of the file system failing',
  run: async (options) => {
    const folders = await backupFolders();
    try {
      return await onStage({ ...folders.env, BACKUP_CONCURRENCY: '1' }, (stage) =>
        new Scanner(stage, folders).run(options),
      );
    } finally {
      await folders.remove();
    }
  },
};

/** Lets every fault hit a scan of a tenant of its own, scans again, and compares with what came of it without. */
class Scanner {
  private readonly plan: string;
  private readonly clock: string;
  private url: string;
  private operator: Promise<Api> | undefined;
  private signedInAt = 0;
  private worker: ServerProcess;
  private works = 0;
  private accepted = 0;
  private lost = 0;
  private dup = 0;

  constructor(
    private readonly stage: Stage,
    private readonly folders: BackupFolders,
  ) {
    this.plan = join(folders.root, 'plan');
    this.clock = join(folders.root, 'clock');
  }

  async run({ seed, full }: RunOptions): Promise<Verdict> {
    writeFileSync(this.clock, String(Date.parse(MORNING)));
    this.inject({ step: 0, act: '' });
    ({ url: this.url } = await this.stage.installation.startProcess('web'));
    this.worker = await this.startWorker();
    const { steps, reference } = await this.unharmed();
    const faults = full ? every(steps) : some(steps, new Random(seed));
    for (const fault of faults) {
      // One that gets stuck is told, and does not hide what the others show.
      await this.harmed(fault, steps, reference).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.stage.expect(false, `${fault.act} step ${fault.step}: ${reason}`);
      });
    }
    const { broken } = this.stage;
    return {
      id: 'F16',
      repetitions: faults.length,
      accepted: this.accepted,
      lost: this.lost,
      dup: this.dup,
      dup_bound: 0,
      seed,
      ok: broken.length === 0,
      broken,
    };
  }

  /** The same work without a fault: its steps, and what comes of it. */
  private async unharmed(): Promise<{ steps: Step[]; reference: Outcome[] }> {
    const work = await this.arrange();
    this.inject({ step: 0, act: '' });
    await this.scan(work);
    const steps = readFileSync(`${this.plan}.steps`, 'utf8').trim().split('\n');
    const reference = [await work.outcome()];
    await work.lateFile();
    await this.scan(work);
    reference.push(await work.outcome());
    await this.judge(work, 'without a fault');
    return { steps: steps.map((line) => JSON.parse(line) as Step), reference };
  }

  private async harmed(fault: Fault, steps: readonly Step[], reference: readonly Outcome[]): Promise<void> {
    const { call = '', path = '' } = steps[fault.step - 1] ?? {};
    const work = await this.arrange();
    const place = call === 'sql' ? path : path.replace(/^.*\/(?=inbox|store)/, '');
    const what = `${fault.act} step ${fault.step}, ${call} ${place}`;
    this.inject(fault);
    const kills = isKill(fault);
    const state = await this.scan(work);
    this.stage.expect(state === (kills ? 'killed' : 'succeeded'), `${what}: the scan is ${state}`);
    await this.note(what, 'unverified', work.unverified(false));
    if (!kills && path.includes('/store/') && path.includes('/compta/'))
      await this.expectRefusedByStore(work, fault, call, what);
    this.inject({ step: 0, act: '' });
    // A report that may not be read is rejected, for good: what it says is not known.
    const rejected = fault.act === 'EACCES' && /\/log\/[^/]+$/.test(path) && call !== 'rename';
    const [again, atTheEnd] = rejected ? [] : reference;
    await this.expectScan(work, what, again);
    await work.lateFile();
    await this.expectScan(work, `${what}; the late file`, atTheEnd);
    await this.judge(work, what);
  }

  private async expectScan(work: ScannerWork, what: string, expected: Outcome | undefined): Promise<void> {
    const state = await this.scan(work);
    this.stage.expect(state === 'succeeded', `${what}: the scan after it is ${state}`);
    if (expected === undefined) return;
    const found = await work.outcome();
    for (const part of ['entries', 'jobs', 'reports', 'files'] as const) {
      this.stage.expect(found[part] === expected[part], `${what}: other ${part}:\n${found[part]}`);
    }
  }

  private async expectRefusedByStore(
    work: ScannerWork,
    { act }: Fault,
    call: string,
    what: string,
  ): Promise<void> {
    if (call === 'statfs') return;
    const compta = (await work.entries()).find(({ database_name }) => database_name === 'compta');
    const reason = act === 'ENOSPC' ? 'store_full' : 'store_failed';
    const told = `${String(compta?.verdict)} ${String(compta?.reason)}`;
    this.stage.expect(told === `FAILED ${reason}`, `${what}: ${told}`);
  }

  private async judge(work: ScannerWork, what: string): Promise<void> {
    this.accepted += work.dropped;
    this.lost += await this.note(what, 'lost', work.lost());
    this.dup += await this.note(what, 'double', work.doubles());
    await this.note(what, 'unverified', work.unverified(true));
  }

  private async note(what: string, kind: string, found: string[] | Promise<string[]>): Promise<number> {
    const list = await found;
    this.stage.expect(list.length === 0, `${what}: ${kind}: ${list.join(', ')}`);
    return list.length;
  }

  private arrange(): Promise<ScannerWork> {
    this.works += 1;
    return ScannerWork.arrange(this.stage.installation, this.folders, `tenant-${this.works}`);
  }

  private inject(fault: Fault): void {
    // Also the same fault is another plan: steps are counted anew.
    writeFileSync(this.plan, JSON.stringify({ ...fault, work: this.works }));
  }

  private async startWorker(): Promise<ServerProcess> {
    const module = (name: string) => `--import ${pathToFileURL(resolve('test/faults', name)).href}`;
    return this.stage.installation.startProcess('worker', {
      NODE_OPTIONS: `${module('moved-clock.mjs')} ${module('faulty-calls.mjs')}`,
      MOVED_CLOCK_FILE: this.clock,
      FAULTY_CALLS_FILE: this.plan,
      FAULTY_CALLS_BELOW: `${this.folders.env.BACKUP_INBOX_DIR}:${this.folders.env.BACKUP_STORE_DIR}`,
    });
  }

  /** An operator, whose token lasts for a quarter of an hour: all of it takes longer. */
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

  /** To its end, or to the worker's: then another is started, and the lost run's lease has run out. */
  private async scan({ slug, tenant_id }: ScannerWork): Promise<string> {
    const { installation } = this.stage;
    let killed = false;
    void this.worker.ended.then(() => (killed = true));
    await (await this.signedIn()).call('POST', `admin/scheduler/scan-backups/trigger?tenant=${slug}`);
    const state = await until(
      'the scan to end',
      async () => {
        const [run] = await installation.sql<{ state: string; error: string | null }>(
          `SELECT state, error FROM job_runs WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1`,
          [tenant_id],
        );
        if (run !== undefined && ['succeeded', 'failed'].includes(run.state)) return run.error ?? run.state;
        return killed ? 'killed' : null;
      },
      SCANNED_MS,
    );
    if (state !== 'killed') return state;
    await installation.sql(
      `UPDATE job_runs SET lease_until = now() WHERE tenant_id = $1 AND state = 'running'`,
      [tenant_id],
    );
    this.worker = await this.startWorker();
    return state;
  }
}

const isKill = ({ act }: Fault) => act === 'before' || act === 'after';

function every(steps: readonly Step[]): Fault[] {
  return steps.flatMap(({ call }, index) =>
    [...KILLS, ...(call === 'sql' ? [] : ERRORS)].map((act) => ({ step: index + 1, act })),
  );
}

/** Half of them kill, half of them are errors. */
function some(steps: readonly Step[], random: Random): Fault[] {
  const faults = random.shuffled(every(steps));
  return [...faults.filter(isKill).slice(0, 8), ...faults.filter((fault) => !isKill(fault)).slice(0, 12)];
}
