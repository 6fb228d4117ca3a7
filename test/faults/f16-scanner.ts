import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BackupFolders, backupFolders, markStore } from '../../src/backups/agent.fixture.js';
import { Random } from './random.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import { ERRORS, type Fault, KILLS, NONE, ScannerRig, type Step } from './scanner-rig.js';
import type { Outcome, ScannerWork } from './scanner-work.js';
import { enlarge, onSmallDisk, seenBy, whyNoSmallDisk } from './small-disk.js';
import { onStage, type Stage } from './stage.js';

export const f16: Scenario = {
  id: 'F16',
  title: 'the scanner of backups: kill -9 at each step, each call of the file system failing, full disks',
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

/** Injects every fault into a scan of a new tenant, scans again, and compares with the result without faults. */
class Scanner {
  private readonly rig: ScannerRig;
  private accepted = 0;
  private lost = 0;
  private dup = 0;

  constructor(
    private readonly stage: Stage,
    folders: BackupFolders,
  ) {
    this.rig = new ScannerRig(stage.installation, folders);
  }

  async run({ seed, full }: RunOptions): Promise<Verdict> {
    await this.rig.start();
    const { steps, reference } = await this.unharmed();
    const faults = full ? every(steps) : some(steps, new Random(seed));
    for (const fault of faults) {
      // A fault that hangs is reported, and does not hide the results of others.
      await this.harmed(fault, steps, reference).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.stage.expect(false, `${fault.act} step ${fault.step}: ${reason}`);
      });
    }
    const why = await whyNoSmallDisk();
    if (why === null) {
      await this.fullStore(reference);
      await this.otherDisk(reference);
    }
    const { broken } = this.stage;
    return {
      id: 'F16',
      repetitions: faults.length + (why === null ? 2 : 0),
      accepted: this.accepted,
      lost: this.lost,
      dup: this.dup,
      dup_bound: 0,
      seed,
      ok: broken.length === 0,
      broken,
      left_out: why === null ? [] : [`a full disk, and a folder on another disk (${why})`],
    };
  }

  /** Mounts an empty disk over the store. Marked as the store, it has no room for the large file; then it grows. */
  private async fullStore([, atTheEnd]: readonly Outcome[]): Promise<void> {
    const { BACKUP_STORE_DIR: store } = this.rig.folders.env;
    await this.rig.moveWorker(onSmallDisk(store, 1_024));
    const disk = seenBy(this.rig.worker.pid, store);
    const work = await this.rig.arrange({ BACKUP_STORE_DIR: disk });
    await this.expectScan(work, 'store without its marker');
    await this.expectUnstored(work, 'store_failed', 'store without its marker');
    await markStore(disk);
    for (const attempt of ['at first', 'again']) {
      await this.expectScan(work, `full disk, ${attempt}`);
      await this.expectUnstored(work, 'store_full', `full disk, ${attempt}`);
      await this.note(`full disk, ${attempt}`, 'unverified', work.unverified(true));
    }
    await enlarge(this.rig.worker.pid, store, 16_384);
    await work.lateFile();
    await this.expectScan(work, 'full disk, made larger', atTheEnd);
    await this.judge(work, 'full disk');
  }

  /** The quarantine is on another disk, which is full; then there is room. */
  private async otherDisk([, atTheEnd]: readonly Outcome[]): Promise<void> {
    const { BACKUP_INBOX_DIR: inbox } = this.rig.folders.env;
    const quarantine = join(inbox, `tenant-${this.rig.works + 1}`, 'lyon', 'quarantine');
    await mkdir(quarantine, { recursive: true });
    await this.rig.moveWorker(onSmallDisk(quarantine, 8));
    const { pid } = this.rig.worker;
    const filler = seenBy(pid, join(quarantine, 'filler'));
    await writeFile(filler, Buffer.alloc(8_192));
    const work = await this.rig.arrange({ BACKUP_INBOX_DIR: seenBy(pid, inbox) });
    await this.expectScan(work, 'full quarantine');
    const pending = /^paie .* quarantine /m.test((await work.outcome()).entries);
    this.stage.expect(pending, 'full quarantine: the file is not said to be still there');
    await unlink(filler);
    await this.note('full quarantine', 'lost', work.lost());
    await work.lateFile();
    await this.expectScan(work, 'quarantine on another disk', atTheEnd);
    await this.judge(work, 'quarantine on another disk');
  }

  /** The same work without a fault: its steps and its result. */
  private async unharmed(): Promise<{ steps: Step[]; reference: Outcome[] }> {
    const work = await this.rig.arrange();
    this.rig.inject(NONE);
    await this.rig.scan(work);
    const steps = this.rig.steps();
    const reference = [await work.outcome()];
    await work.lateFile();
    await this.rig.scan(work);
    reference.push(await work.outcome());
    await this.judge(work, 'without a fault');
    this.expectDurable(steps);
    return { steps, reference };
  }

  /** A file must be durable before it is recorded as stored, and before its staged copy is removed. */
  private expectDurable(steps: readonly Step[]): void {
    const after = (from: number, call: string, path: RegExp) =>
      steps.findIndex((step, index) => index > from && step.call === call && path.test(step.path));
    const synced = after(-1, 'datasync', /\/compta\/.*\.part$/);
    const linked = after(synced, 'link', /\/compta\/.*\.part$/);
    const kept = after(linked, 'sync', /\/compta\/2026\/03$/);
    const said = after(linked, 'sql', /^UPDATE backup_entries SET verdict/);
    const removed = after(said, 'rename', /\/database\/compta/);
    const inOrder = synced >= 0 && linked > synced && kept > linked && said > kept && removed > said;
    this.stage.expect(inOrder, `the steps' order: ${[synced, linked, kept, said, removed].join(', ')}`);
  }

  private async harmed(fault: Fault, steps: readonly Step[], reference: readonly Outcome[]): Promise<void> {
    const { call = '', path = '' } = steps[fault.step - 1] ?? {};
    const work = await this.rig.arrange();
    const place = call === 'sql' ? path : path.replace(/^.*\/(?=inbox|store)/, '');
    const what = `${fault.act} step ${fault.step}, ${call} ${place}`;
    this.rig.inject(fault);
    const kills = isKill(fault);
    const state = await this.rig.scan(work);
    this.stage.expect(state === (kills ? 'killed' : 'succeeded'), `${what}: the scan is ${state}`);
    await this.note(what, 'unverified', work.unverified(false));
    // Free space and the leftovers of killed scans are checked opportunistically: a good file is stored anyway.
    const inPassing = ['statfs', 'readdir'].includes(call);
    if (!kills && !inPassing && path.includes('/store/') && path.includes('/compta/'))
      await this.expectUnstored(work, fault.act === 'ENOSPC' ? 'store_full' : 'store_failed', what);
    this.rig.inject(NONE);
    // A report that cannot be read is rejected permanently: its content is unknown.
    const rejected = fault.act === 'EACCES' && /\/log\/[^/]+$/.test(path) && call !== 'rename';
    const [again, atTheEnd] = rejected ? [] : reference;
    await this.expectScan(work, what, again);
    await work.lateFile();
    await this.expectScan(work, `${what}; the late file`, atTheEnd);
    await this.judge(work, what);
  }

  private async expectScan(work: ScannerWork, what: string, expected?: Outcome): Promise<void> {
    const state = await this.rig.scan(work);
    this.stage.expect(state === 'succeeded', `${what}: the scan after it is ${state}`);
    if (expected === undefined) return;
    const found = await work.outcome();
    for (const part of ['entries', 'jobs', 'reports', 'files'] as const) {
      this.stage.expect(found[part] === expected[part], `${what}: other ${part}:\n${found[part]}`);
    }
  }

  private async expectUnstored(work: ScannerWork, reason: string, what: string): Promise<void> {
    const compta = (await work.entries()).find(({ database_name }) => database_name === 'compta');
    const found = `${String(compta?.verdict)} ${String(compta?.reason)}`;
    this.stage.expect(found === `FAILED ${reason}`, `${what}: ${found}`);
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
}

const isKill = ({ act }: Fault) => act === 'before' || act === 'after';

function every(steps: readonly Step[]): Fault[] {
  return steps.flatMap(({ call }, index) =>
    [...KILLS, ...(call === 'sql' ? [] : ERRORS)].map((act) => ({ step: index + 1, act })),
  );
}

/** A killed worker takes as long as several errors. */
function some(steps: readonly Step[], random: Random): Fault[] {
  const faults = random.shuffled(every(steps));
  return [...faults.filter(isKill).slice(0, 5), ...faults.filter((fault) => !isKill(fault)).slice(0, 8)];
}
