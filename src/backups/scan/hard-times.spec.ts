import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestAgent } from '../agent.fixture.js';
import { IncomingCopy, type UnsyncedFolders } from '../files/stored-file.js';
import { STORE_MARKER } from '../store/backup-store.js';
import { REPORTED, ScannedWorld } from './scan.fixture.js';

let scans: ScannedWorld;
let agent: TestAgent;

beforeAll(async () => {
  scans = await ScannedWorld.create();
});
afterAll(() => scans.close());
beforeEach(async () => {
  agent = await scans.beginAnew();
});
afterEach(() => jest.restoreAllMocks());

/** Whether a process of this machine can mount: root can, except in a container. */
function mounted(folder: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const remount = (folder: string, options: string) =>
  execFileSync('mount', ['-o', `remount,${options}`, folder]);
const unmount = (folder: string) => execFileSync('umount', ['--lazy', folder]);

describe('D9: a scan', () => {
  it('D9: of an agent with thousands of waiting reports takes 2,000 at a time, and loses none', async () => {
    const count = 2_010;
    for (let number = 0; number < count; number++) {
      const at = new Date(Date.parse('2026-03-20T00:00:00Z') + number * 60_000).toISOString();
      await agent.drop(
        `${String(number).padStart(5, '0')}_STATUS.json`,
        agent.report(at, { compta: { status: 'failed', error_msg: `failure ${number}` } }),
      );
    }
    for (const taken of [2_000, 10]) {
      expect(await scans.run()).toMatchObject({ reports: taken, failed: taken, archived: taken });
    }
    expect(await scans.run()).toEqual({});
    expect([agent.files('archive').length, agent.files('log').length]).toEqual([count, 0]);
    const [found] = await scans.world.sql(`SELECT count(*)::int FROM backup_entries WHERE agent_id = $1`, [
      agent.id,
    ]);
    expect(found).toEqual({ count });
  }, 300_000);

  it('D9: whose store is unmounted while storing records only files that are on the disk', async () => {
    const store = scans.folders.env.BACKUP_STORE_DIR;
    const names = ['compta', 'paie', 'stocks'];
    for (const name of names) await scans.expectJob(name);
    const reported = await Promise.all(
      names.map(async (name) => [name, await agent.stage(`${name}.bak`, `the ${name}`)] as const),
    );
    await agent.drop('STATUS.json', agent.report(REPORTED, Object.fromEntries(reported)));
    // Unmount after one file has its name, and before its folder is fsynced.
    const publish: (this: IncomingCopy) => Promise<UnsyncedFolders> = Reflect.get(
      IncomingCopy.prototype,
      'publish',
    );
    let published = 0;
    jest.spyOn(IncomingCopy.prototype, 'publish').mockImplementation(async function (this: IncomingCopy) {
      published += 1;
      if (published === 2) {
        renameSync(store, `${store}-unmounted`);
        mkdirSync(store);
      }
      return publish.call(this);
    });
    expect(await scans.run()).toMatchObject({ failed: 3 });
    expect((await scans.entries()).map(({ reason }) => reason)).toEqual(names.map(() => 'store_failed'));
    expect(agent.files('database')).toEqual(names.map((name) => `${name}.bak`));
    jest.restoreAllMocks();
    rmdirSync(store);
    renameSync(`${store}-unmounted`, store);
    expect(await scans.run()).toMatchObject({ success: 3 });
    expect(agent.files('database')).toEqual([]);
    expect(scans.stored()).toHaveLength(3);
  });

  it('D9: whose store has no free inode is FAILED as full, and stores the file once there is one', async () => {
    const store = scans.folders.env.BACKUP_STORE_DIR;
    if (!mounted(store, 'size=10m,nr_inodes=4')) return;
    try {
      writeFileSync(join(store, STORE_MARKER), '');
      await scans.expectJob('compta');
      const reported = await agent.stage('compta.bak', 'the ledger');
      await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
      expect(await scans.run()).toMatchObject({ failed: 1 });
      expect(await scans.entries()).toMatchObject([{ verdict: 'FAILED', reason: 'store_full' }]);
      expect(agent.files('database')).toEqual(['compta.bak']);
      // It is not read again until there is space.
      expect((await scans.run()).bytes).toBeUndefined();
      remount(store, 'nr_inodes=1000');
      expect(await scans.run()).toMatchObject({ success: 1 });
      expect(agent.files('database')).toEqual([]);
    } finally {
      unmount(store);
    }
  });

  it('D9: of a read-only inbox verifies and stores, and cleans up once the inbox is writable', async () => {
    const inbox = scans.folders.env.BACKUP_INBOX_DIR;
    if (!mounted(inbox, 'size=10m')) return;
    try {
      await agent.make();
      await scans.expectJob('compta');
      const reported = await agent.stage('compta.bak', 'the ledger');
      await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
      await agent.drop('torn_STATUS.json', '{"operation');
      remount(inbox, 'ro');
      expect(await scans.run()).toMatchObject({ success: 1 });
      expect(await scans.entries()).toMatchObject([{ verdict: 'SUCCESS', staged_action: 'delete' }]);
      await scans.run();
      expect(await scans.entries()).toHaveLength(1);
      expect(scans.stored()).toHaveLength(1);
      remount(inbox, 'rw');
      await scans.run();
      expect([agent.files('database'), agent.files('log')]).toEqual([[], []]);
      expect(agent.files('archive')).toEqual(['STATUS.json']);
      expect(agent.files('rejected')).toEqual(['torn_STATUS.json', 'torn_STATUS.json.reason']);
    } finally {
      unmount(inbox);
    }
  });

  it('D9: a suspended tenant’s report is refused over REST, and waits in the inbox', async () => {
    await scans.expectJob('compta');
    const made = await scans.world.http('POST', `/api/v1/tenants/${scans.cast.tenant_id}/api-keys`, {
      token: scans.cast.operator.token,
      body: { name: agent.id, scopes: ['reports:write'], agent_id: agent.id },
    });
    const { key } = made.body as { key: string };
    const suspend = (at: Date | null) =>
      scans.world.sql(`UPDATE tenants SET suspended_at = $2 WHERE id = $1`, [scans.cast.tenant_id, at]);
    const report = agent.report(REPORTED, { compta: await agent.stage('compta.bak', 'the ledger') });
    const post = () =>
      scans.world.http('POST', '/api/v1/backups/reports', { headers: { 'x-api-key': key }, body: report });
    await suspend(scans.clock.now());
    expect([401, 403]).toContain((await post()).status);
    await agent.drop('STATUS.json', report);
    expect(await scans.entries()).toEqual([]);
    await suspend(null);
    expect(await scans.run()).toMatchObject({ reports: 1, success: 1 });
    expect(await post()).toMatchObject({ status: 200, body: { created: false } });
  });
});
