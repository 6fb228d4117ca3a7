import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../support/until.js';
import { ExpectedSlots } from './expected-slots.js';
import type { Installation } from './installation.js';
import { Random } from './random.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import { addScheduledTenants } from './scheduled-tenants.js';
import { onStage, type Stage } from './stage.js';

const HOUR_MS = 3_600_000;
/** One replica's clock is an hour behind, one's an hour ahead. */
const SKEWS_MS = [-HOUR_MS, 0, HOUR_MS];
const DOWN_MS = 26 * HOUR_MS;
/** Shorter than the time between two hours of a job, so that none is skipped. */
const STEP_MS = 4 * HOUR_MS;

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo', 'Pacific/Apia'];
/** UTC dates around a clock change in one of the zones: gaps, overlaps, half an hour, midnight, a whole day. */
const CHANGES = [
  '2011-12-30',
  '2026-03-08',
  '2026-04-24',
  '2026-10-04',
  '2026-10-30',
  '2026-11-01',
  '2027-03-28',
  '2027-04-04',
  '2027-10-31',
];

export const f15: Scenario = {
  id: 'F15',
  title: 'three schedulers an hour apart, five zones, clocks that change, 26 h down',
  run: async (options) => {
    const dir = await mkdtemp(join(tmpdir(), 'vigie-clock-'));
    try {
      const replicas = {
        SCHEDULER_ENABLED: 'true',
        SCHEDULER_POLL_SECONDS: '1',
        // Years pass between two of the dates: cleanup would delete the ledger that is read at the end.
        CLEANUP_ENABLED: 'false',
        NODE_OPTIONS: `--import ${pathToFileURL(resolve('test/faults/moved-clock.mjs')).href}`,
        MOVED_CLOCK_FILE: join(dir, 'now'),
      };
      return await onStage(replicas, (stage) => new Clocks(stage, join(dir, 'now')).run(options));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** Moves the clock of all replicas step by step, and compares the ledger with the oracle. */
class Clocks {
  private readonly installation: Installation;
  private readonly tenants = new Map<string, string>();
  /** As `<tenant> <job> <slot>`. */
  private readonly expected = new Set<string>();
  private steps = 0;

  constructor(
    private readonly stage: Stage,
    private readonly file: string,
  ) {
    this.installation = stage.installation;
  }

  async run({ seed, full }: RunOptions): Promise<Verdict> {
    const random = new Random(seed);
    const dates = full ? CHANGES : random.shuffled(CHANGES).slice(0, 2).sort();
    const [before, after] = full ? [-24, 28] : [-8, 12];
    for (const date of dates) {
      // A quarter past: the next slot is minutes away, however long a step takes.
      const middle = Date.parse(`${date}T00:17:00Z`) + random.between(0, 3) * HOUR_MS;
      await this.around(date, middle + before * HOUR_MS, middle + after * HOUR_MS, date === dates.at(-1));
    }
    return this.judge(seed);
  }

  private async around(date: string, from: number, to: number, thenDown: boolean): Promise<void> {
    const zones = new Map(ZONES.map((zone) => [zone, new ExpectedSlots(zone, date)]));
    for (let now = from; now <= to; now += STEP_MS) await this.step(zones, now);
    if (!thenDown) return;
    await this.installation.killProcesses();
    await this.step(zones, to + DOWN_MS);
  }

  /** Sets the clock; waits until all slots that are due for any replica have run. */
  private async step(zones: ReadonlyMap<string, ExpectedSlots>, now: number): Promise<void> {
    this.steps += 1;
    await writeFile(`${this.file}.new`, String(now));
    await rename(`${this.file}.new`, this.file);
    await this.startReplicas();
    for (const [tenant, zone] of this.tenants) {
      for (const skew of SKEWS_MS) {
        const owed = zones.get(zone)?.owedAt(now + skew) ?? [];
        for (const slot of owed) this.expected.add(`${tenant} ${slot}`);
      }
    }
    const done = async () => {
      const ended = `SELECT count(*) FROM job_runs WHERE state IN ('succeeded', 'failed')`;
      return (await this.installation.count(ended)) >= this.expected.size;
    };
    // Runs that are missing then count as lost.
    await until('the runs of this step', done, 20_000).catch(() => undefined);
  }

  private async startReplicas(): Promise<void> {
    if (this.installation.running > 0) return;
    if (this.tenants.size === 0) await this.addTenants();
    await Promise.all(
      SKEWS_MS.map((skew) =>
        this.installation.startProcess('worker,scheduler', { MOVED_CLOCK_SKEW_MS: String(skew) }),
      ),
    );
  }

  /** Adds a tenant in each zone, with a schedule that has long been due. */
  private async addTenants(): Promise<void> {
    await this.installation.migrate();
    const added = await addScheduledTenants(this.installation, 'tenant', ZONES);
    for (const [id, zone] of added) this.tenants.set(id, zone);
  }

  /** LOST: due slots without exactly one successful run. DUP: slots that ran again, or were not due. */
  private async judge(seed: number): Promise<Verdict> {
    const rows = await this.installation.sql<{ run: string; state: string; attempts: number }>(
      `SELECT tenant_id || ' ' || job || ' ' || slot AS run, state, attempts FROM job_runs`,
    );
    const succeeded = new Set(rows.filter(({ state }) => state === 'succeeded').map(({ run }) => run));
    const lost = [...this.expected].filter((run) => !succeeded.has(run));
    const surplus = rows.filter(({ run, attempts }) => !this.expected.has(run) || attempts > 1);
    this.stage.expect(lost.length === 0, `did not run: ${this.named(lost)}`);
    this.stage.expect(surplus.length === 0, `ran again: ${this.named(surplus.map(({ run }) => run))}`);
    return {
      id: 'F15',
      repetitions: this.steps,
      accepted: this.expected.size,
      lost: lost.length,
      dup: surplus.length,
      dup_bound: 0,
      seed,
      ok: this.stage.broken.length === 0,
      broken: this.stage.broken,
    };
  }

  private named(runs: readonly string[]): string {
    const zoned = runs.map((run) => {
      const [tenant = '', ...slot] = run.split(' ');
      return [this.tenants.get(tenant), ...slot].join(' ');
    });
    return zoned.slice(0, 5).join(', ');
  }
}
