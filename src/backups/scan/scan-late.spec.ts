import files, { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { until } from '../../../test/support/until.js';
import { runJob } from '../../../test/support/watched.js';
import { Database } from '../../platform/database/database.js';
import { good, scan, type TestAgent } from '../agent.fixture.js';
import { reportFiles } from '../files/inbox.js';
import { readReport } from '../reports/report-text.js';
import { Reports } from '../reports/reports.service.js';
import { REPORTED, ScannedWorld } from './scan.fixture.js';

const IN_TIME = '2026-03-30T21:00:00Z';
const PAST_GRACE = '2026-03-30T22:00:01Z';

/** Backups and reports that arrive late, twice, or during another scan. */
describe('B4: late backups', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
  });

  const verdicts = async () => (await scans.entries()).map(({ verdict }) => verdict);

  it('a mismatching one that is re-staged correctly is SUCCESS, with the same report', async () => {
    const id = await scans.expectJob('compta');
    const reported = good('compta.bak', 'the ledger');
    await agent.put('database', 'compta.bak', 'the led');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
    await scans.run();
    expect(await verdicts()).toEqual(['HASH_MISMATCH']);
    // Another wrong file: it probably belongs to the next backup, so the verdict stays.
    await agent.put('database', 'compta.bak', 'the lodgers');
    const again = await scans.run();
    expect(again).not.toHaveProperty('hash_mismatch');
    expect(await scans.run()).toEqual({});
    expect(agent.files('database')).toEqual(['compta.bak']);
    await agent.put('database', 'compta.bak', 'the ledger');
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(await scans.job(id)).toMatchObject({ status: 'SUCCESS' });
    expect(agent.files('quarantine')).toEqual(['compta.bak']);
    expect(agent.files('database')).toEqual([]);
  });

  it('yesterday’s report is not compared with the next file of the same name', async () => {
    await scans.expectJob('compta');
    await agent.drop('1_STATUS.json', agent.report(REPORTED, { compta: good('c.bak', 'monday') }));
    await scans.run();
    expect(await verdicts()).toEqual(['MISSING']);
    // Tuesday's file arrives before its report.
    scans.clock.set('2026-03-31T20:05:00Z');
    const tuesday = await agent.stage('c.bak', 'tuesday');
    await scans.run();
    expect(agent.files('quarantine')).toEqual([]);
    await agent.drop('2_STATUS.json', agent.report('2026-03-31T20:04:00Z', { compta: tuesday }));
    await scans.run();
    expect(await verdicts()).toEqual(['MISSING', 'SUCCESS']);
    expect(scans.stored()).toHaveLength(1);
  });

  it.each([
    ['from then is compared with its report', '2026-03-30T20:05:00Z', 'HASH_MISMATCH'],
    ['from after the grace is not', '2026-03-31T20:05:00Z', 'MISSING'],
  ])('a wrong file that could not be read at first and %s', async (_what, written, verdict) => {
    await scans.expectJob('compta');
    await agent.put('database', 'compta.bak', 'the lodger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') }));
    const failure = Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'open' });
    const { open } = files;
    const failing = jest.spyOn(files, 'open').mockImplementation((path, ...given) => {
      return String(path).endsWith('compta.bak') ? Promise.reject(failure) : open(path, ...given);
    });
    await scans.run();
    failing.mockRestore();
    expect(await scans.entries()).toMatchObject([{ verdict: 'FAILED', reason: 'unreadable' }]);
    scans.clock.set('2026-03-31T20:06:00Z');
    await files.utimes(agent.path('database', 'compta.bak'), new Date(written), new Date(written));
    await scans.run();
    expect(await verdicts()).toContain(verdict);
    expect(agent.files('quarantine')).toEqual(verdict === 'HASH_MISMATCH' ? ['compta.bak'] : []);
  });

  it('today’s report is not compared with yesterday’s late file: its own file may still arrive', async () => {
    await scans.expectJob('compta');
    await agent.drop('1_STATUS.json', agent.report(REPORTED, { compta: good('c.bak', 'monday') }));
    await scans.run();
    scans.clock.set('2026-03-31T20:20:00Z');
    await agent.put('database', 'c.bak', 'monday');
    await agent.drop(
      '2_STATUS.json',
      agent.report('2026-03-31T20:10:00Z', { compta: good('c.bak', 'tuesday') }),
    );
    await scans.run();
    expect(await verdicts()).toEqual(['SUCCESS', null]);
    await agent.put('database', 'c.bak', 'tuesday');
    await scans.run();
    expect(await verdicts()).toEqual(['SUCCESS', 'SUCCESS']);
    expect(scans.stored()).toHaveLength(2);
  });

  it('a file that never stops changing is missing', async () => {
    await scans.expectJob('compta');
    await agent.put('database', 'compta.bak', '');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') }));
    const scanWhileGrowing = async (now: string) => {
      scans.clock.set(now);
      await writeFile(agent.path('database', 'compta.bak'), 'the');
      const growing = setInterval(() => void appendFile(agent.path('database', 'compta.bak'), '.'), 20);
      try {
        return await scans.run();
      } finally {
        clearInterval(growing);
      }
    };
    expect(await scanWhileGrowing(IN_TIME)).toEqual({ reports: 1, still_written: 1 });
    expect(await scanWhileGrowing(PAST_GRACE)).toMatchObject({ still_written: 1, missing: 1 });
    expect(await scans.entries()).toMatchObject([
      { verdict: 'MISSING', reason: 'no_staged_file', detail: 'the file is still being written' },
    ]);
  });

  it('storing a verified file is retried without a time limit', async () => {
    await scans.expectJob('compta');
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
    const store = scans.folders.env.BACKUP_STORE_DIR;
    await rm(store, { recursive: true });
    await writeFile(store, 'not a folder');
    await scans.run();
    expect(await scans.entries()).toMatchObject([{ verdict: 'FAILED', reason: 'store_failed' }]);
    scans.clock.set('2026-04-20T06:00:00Z');
    await scans.run();
    expect(agent.files('database')).toEqual(['compta.bak']);
    await rm(store);
    await mkdir(store);
    expect(await scans.run()).toMatchObject({ success: 1 });
  });

  it('a missing file is awaited for 7 days', async () => {
    await scans.expectJob('compta');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') }));
    await scans.run();
    const settled = async () => (await scans.entries())[0]!.settled_at;
    scans.clock.set('2026-04-07T05:59:59Z');
    await scans.run();
    expect(await settled()).toBeNull();
    scans.clock.set('2026-04-07T06:00:01Z');
    await scans.run();
    expect(await settled()).not.toBeNull();
  });

  it('a report that is recorded while MISSING is being decided is not missing', async () => {
    const id = await scans.expectJob('compta');
    scans.clock.set(PAST_GRACE);
    const { world, cast } = scans;
    const read = readReport(
      Buffer.from(JSON.stringify(agent.report('2026-03-30T19:50:00Z', { compta: { status: 'failed' } }))),
      agent.id,
      new Date(PAST_GRACE),
    );
    if (!('report' in read)) throw new Error(read.refused);
    let scanning: Promise<unknown> = Promise.resolve();
    await world.app.get(Database).tenant(cast.tenant_id, async (tx) => {
      await world.app.get(Reports, { strict: false }).accept(tx, read.report, { source: 'api' });
      scanning = scan(world, cast.tenant_id);
      await until('the scan to wait for it', async () => {
        const waiting = await world.sql(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
        return waiting.length > 0;
      });
    });
    await scanning;
    expect(await verdicts()).toEqual([null]);
    await scans.run();
    expect(await verdicts()).toEqual(['FAILED']);
    expect(await scans.job(id)).toMatchObject({ status: 'FAILED' });
  });

  it('an unmounted inbox: MISSING has that as its reason', async () => {
    await scans.expectJob('compta');
    const inbox = scans.folders.env.BACKUP_INBOX_DIR;
    await rename(inbox, `${inbox}-unmounted`);
    try {
      expect(await scans.run()).toMatchObject({ unreadable: 1, missing: 1 });
    } finally {
      await rename(`${inbox}-unmounted`, inbox);
    }
    expect(await scans.entries()).toMatchObject([{ reason: 'no_report', detail: 'ENOENT (access)' }]);
  });

  it('a scan reads as many reports as it may, in order of their names', async () => {
    const names = Array.from({ length: 2_001 }, (_, at) => `${String(at).padStart(4, '0')}_STATUS.json`);
    for (const name of [...names].reverse()) await writeFile(agent.path('log', name), '');
    const { files, more } = await reportFiles(
      scans.folders.env.BACKUP_INBOX_DIR,
      [agent.slug, agent.id],
      () => undefined,
    );
    expect(more).toBe(true);
    expect(files.map(({ name }) => name)).toEqual(names.slice(0, 2_000));
  });

  it('B7: the daily check repeats open alerts once a day', async () => {
    const { world, cast } = scans;
    await world.sql('DELETE FROM notifications');
    await scans.expectJob('compta');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: { status: 'failed' } }));
    await scans.run();
    const announced = async () =>
      (await world.sql(`SELECT 1 FROM notifications WHERE kind = 'backup_alert'`)).length;
    expect(await announced()).toBe(1);
    // 09:00 in Paris: the alert was sent an hour ago.
    scans.clock.set('2026-03-31T07:00:00Z');
    expect(await runJob(world, cast.tenant_id, 'check-backups')).toEqual({});
    // There is no report the next night: that is another verdict, and the reminder is about it.
    scans.clock.set('2026-04-01T07:00:00Z');
    expect(await runJob(world, cast.tenant_id, 'check-backups')).toMatchObject({ missing: 1, alerts: 1 });
    expect(await announced()).toBe(2);
    scans.clock.set('2026-04-01T20:00:00Z');
    await runJob(world, cast.tenant_id, 'check-backups');
    expect(await announced()).toBe(2);
    // Two days later no new backup is expected yet, and it is still missing.
    await world.sql(`UPDATE backup_jobs SET expected_after = '2026-04-03T00:00:00Z'`);
    scans.clock.set('2026-04-02T07:00:00Z');
    expect(await runJob(world, cast.tenant_id, 'check-backups')).toMatchObject({ reminded: 1 });
    expect(await announced()).toBe(3);
  });
});
