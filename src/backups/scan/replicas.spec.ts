import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addTenant, type CastTenant, type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { ScheduledJob } from '../../contracts/jobs.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { RUN_LEASE_SECONDS } from '../../runs/run-record.js';
import { SchedulerPoller } from '../../scheduler/scheduler.poller.js';
import {
  type BackupFolders,
  backupFolders,
  good,
  scan,
  sha256,
  stored,
  TestAgent,
} from '../agent.fixture.js';
import { EntryEvaluator } from './entry-evaluator.js';
import { FileVerifier } from './file-verifier.js';
import { StoreWriter } from './store-writer.js';

/** Two processes of one installation never scan the same tenant at once. */
const MORNING = '2026-03-31T06:00:00.000Z';
/** 09:00 in Paris and half a minute: the daily check and a scan are due. */
const NINE = '2026-03-31T07:00:30.000Z';
const REPORTED = '2026-03-30T20:10:00Z';
const DATABASES = 12;

describe('two scanners of one installation', () => {
  const clock = new FixedClock(MORNING);
  let folders: BackupFolders;
  let one: World;
  let other: World;
  let cast: Cast;

  beforeAll(async () => {
    folders = await backupFolders();
    const env = { ...folders.env, VIGIE_ROLES: 'web,worker,scheduler', SCHEDULER_ENABLED: 'false' };
    one = await createWorld({ clock, env });
    other = await createWorld({ clock, env, join: one });
    cast = await createCast(one);
  });
  afterAll(async () => {
    await other.close();
    await one.close();
    await folders.remove();
  });
  afterEach(() => jest.restoreAllMocks());

  /** A tenant's work: valid files, a wrong one, a torn report, a database without a report. */
  async function arrange(tenant: CastTenant): Promise<TestAgent> {
    const agent = await new TestAgent(folders, tenant.slug, 'lyon').make();
    for (let number = 0; number < DATABASES; number += 1) {
      const reported = await agent.stage(`${number}.bak`, Buffer.alloc(1_500_000, `${number} `));
      await agent.drop(`${number}_STATUS.json`, agent.report(REPORTED, { [`db${number}`]: reported }));
    }
    await agent.put('database', 'wrong.bak', 'the lodger');
    const wrong = good('wrong.bak', 'the ledger');
    await agent.drop('wrong_STATUS.json', agent.report(REPORTED, { wrong }));
    await agent.drop('torn_STATUS.json', '{');
    await one.sql(
      `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                                grace_minutes, expected_after, created_at, updated_at)
       VALUES ($1, 'paris', 'clients', 'Boulangerie Martin', 'Lyon', '22:00', '{1,2,3,4,5,6,7}', 0, $2, $2, $2)`,
      [tenant.id, '2026-03-30T10:00:00Z'],
    );
    return agent;
  }

  /** Each entry once, each file in one place, nothing half done. */
  async function expectDone(tenant: CastTenant, agent: TestAgent): Promise<void> {
    const entries = await one.sql<{ entry: string; count: string }>(
      `SELECT database_name || ' ' || verdict AS entry, count(*) FROM backup_entries WHERE tenant_id = $1 GROUP BY 1`,
      [tenant.id],
    );
    const databases = Array.from({ length: DATABASES }, (_, number) => `db${number} SUCCESS`);
    const expected = ['clients MISSING', 'wrong HASH_MISMATCH', ...databases].sort();
    expect(entries.map(({ entry }) => entry).sort()).toEqual(expected);
    expect(entries.filter(({ count }) => Number(count) !== 1)).toEqual([]);
    const rejected = await one.sql(
      `SELECT 1 FROM backup_reports WHERE tenant_id = $1 AND state = 'rejected'`,
      [tenant.id],
    );
    expect(rejected).toHaveLength(1);
    const mine = stored(folders).filter((path) => path.startsWith(`${tenant.slug}/`));
    expect(mine).toHaveLength(DATABASES);
    expect(agent.files('database')).toEqual([]);
    expect(agent.files('quarantine')).toEqual(['wrong.bak']);
    expect(agent.files('archive')).toHaveLength(DATABASES + 1);
    expect(agent.files('rejected')).toEqual(['torn_STATUS.json', 'torn_STATUS.json.reason']);
    expect(agent.files('log')).toEqual([]);
  }

  /** Counts how many of the two are scanning for one tenant. */
  function watchOverlap(): { begun: number; most: number } {
    const seen = { begun: 0, most: 0 };
    const active = new Map<string, number>();
    const evaluate = Reflect.get<EntryEvaluator, 'evaluate'>(EntryEvaluator.prototype, 'evaluate');
    jest.spyOn(EntryEvaluator.prototype, 'evaluate').mockImplementation(async function (
      this: EntryEvaluator,
      run,
      agents,
    ) {
      const now = (active.get(run.tenant_id) ?? 0) + 1;
      active.set(run.tenant_id, now);
      seen.begun += 1;
      seen.most = Math.max(seen.most, now);
      await evaluate.call(this, run, agents).finally(() => active.set(run.tenant_id, now - 1));
    });
    return seen;
  }

  /** Waits until so many runs have succeeded; a run that finds another one active is enqueued again. */
  async function ended(tenant: CastTenant, runs: number): Promise<void> {
    await until('the runs to end', async () => {
      await one.app.get(SchedulerPoller, { strict: false }).reap();
      const [row] = await one.sql<{ count: string }>(
        `SELECT count(*) FROM job_runs WHERE tenant_id = $1 AND state = 'succeeded'
           AND job IN ('scan-backups', 'check-backups')`,
        [tenant.id],
      );
      return Number(row?.count) === runs;
    });
  }

  it('triggered manually at the same time: process each entry once, one scan at a time', async () => {
    const agent = await arrange(cast.tenant);
    const seen = watchOverlap();
    const trigger = async (world: World, job: ScheduledJob) => {
      const path = `/api/v1/admin/scheduler/${job}/trigger`;
      const { status } = await world.http('POST', path, { token: cast.admin.token });
      expect(status).toBe(202);
    };
    await Promise.all([
      trigger(one, 'scan-backups'),
      trigger(other, 'scan-backups'),
      trigger(one, 'check-backups'),
      trigger(other, 'check-backups'),
    ]);
    await ended(cast.tenant, 4);
    await expectDone(cast.tenant, agent);
    expect(seen).toEqual({ begun: 4, most: 1 });
  });

  it('by their schedules: run each slot once, process each entry once, one scan at a time', async () => {
    const tenant = await addTenant(one, { slug: 'cabinet-leroy' });
    const agent = await arrange(tenant);
    const seen = watchOverlap();
    clock.set(NINE);
    const pollers = [one, other].map((world) => world.app.get(SchedulerPoller, { strict: false }));
    await Promise.all([...pollers, ...pollers].map((poller) => poller.poll()));
    await ended(tenant, 2);
    await expectDone(tenant, agent);
    const runs = await one.sql(
      `SELECT job FROM job_runs WHERE tenant_id = $1 AND job IN ('scan-backups', 'check-backups') ORDER BY 1`,
      [tenant.id],
    );
    expect(runs).toEqual([{ job: 'check-backups' }, { job: 'scan-backups' }]);
    expect(seen.most).toBe(1);
    clock.set(MORNING);
  });

  it('one that lost its lease stops, and changes nothing more', async () => {
    const tenant = await addTenant(one, { slug: 'cabinet-petit' });
    const agent = await arrange(tenant);
    const renewals: (() => void)[] = [];
    const { setInterval: real } = globalThis;
    jest.spyOn(globalThis, 'setInterval').mockImplementation((callback: () => void, ms) => {
      if (ms === (RUN_LEASE_SECONDS * 1_000) / 3) renewals.push(callback);
      return real(callback, ms);
    });
    let begun = 0;
    const verify = Reflect.get<FileVerifier, 'verify'>(FileVerifier.prototype, 'verify');
    jest.spyOn(FileVerifier.prototype, 'verify').mockImplementation(async function (
      this: FileVerifier,
      run,
      ...given
    ) {
      const verdicts = await verify.call(this, run, ...given);
      begun += 1;
      if (begun === 1) {
        // Another process has claimed the run; this one notices when it renews its lease.
        await one.sql(
          `UPDATE job_runs SET lease_token = new_id(), lease_until = now() + interval '1 minute' WHERE tenant_id = $1`,
          [tenant.id],
        );
        for (const renew of renewals) renew();
      }
      await until('the scan to be aborted', () => run.signal.aborted);
      return verdicts;
    });
    await expect(scan(one, tenant.id)).rejects.toThrow('the run ended running');
    jest.restoreAllMocks();
    const settled = await one.sql(
      `SELECT 1 FROM backup_entries WHERE tenant_id = $1 AND verdict IS NOT NULL`,
      [tenant.id],
    );
    expect(settled).toEqual([]);
    expect(agent.files('database')).toHaveLength(DATABASES + 1);
    expect(agent.files('archive')).toEqual([]);

    await one.sql(`UPDATE job_runs SET lease_until = now() WHERE tenant_id = $1`, [tenant.id]);
    await scan(other, tenant.id);
    await expectDone(tenant, agent);
  });

  it('one that lost its lease unnoticed does not change the other’s results', async () => {
    const tenant = await addTenant(one, { slug: 'cabinet-roux' });
    const agent = await arrange(tenant);
    let stale: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (stale = resolve));
    const promote = Reflect.get<StoreWriter, 'promote'>(StoreWriter.prototype, 'promote');
    let held = 0;
    jest.spyOn(StoreWriter.prototype, 'promote').mockImplementation(async function (
      this: StoreWriter,
      ...given
    ) {
      const isStale = this === one.app.get(StoreWriter, { strict: false });
      if (isStale) {
        held += 1;
        await released;
      }
      return promote.apply(this, given);
    });
    const scanning = scan(one, tenant.id);
    // The copies are complete, and not published yet.
    await until('copies of the first', () => held > 0);
    const lost = `UPDATE job_runs SET state = 'failed', lease_token = NULL, lease_until = NULL, finished_at = now() WHERE tenant_id = $1`;
    await one.sql(lost, [tenant.id]);
    await scan(other, tenant.id);
    await expectDone(tenant, agent);
    const before = await one.sql(`SELECT * FROM backup_entries WHERE tenant_id = $1 ORDER BY id`, [
      tenant.id,
    ]);
    stale();
    await expect(scanning).rejects.toThrow('the run ended failed');
    expect(
      await one.sql(`SELECT * FROM backup_entries WHERE tenant_id = $1 ORDER BY id`, [tenant.id]),
    ).toEqual(before);
    await expectDone(tenant, agent);
    for (const path of stored(folders).filter((name) => name.startsWith(`${tenant.slug}/`))) {
      const number = /db(\d+)_/.exec(path)?.[1] ?? '';
      const content = readFileSync(join(folders.env.BACKUP_STORE_DIR, path));
      expect(sha256(content)).toBe(sha256(Buffer.alloc(1_500_000, `${number} `)));
    }
  });
});
