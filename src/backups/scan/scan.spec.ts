import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { until } from '../../../test/support/until.js';
import { good, rest, sha256, type TestAgent } from '../agent.fixture.js';
import { MORNING, REPORTED, ScannedWorld } from './scan.fixture.js';

describe('the scan of backups', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
  });

  it('B4, B6 SUCCESS: verified, promoted, removed from the inbox, archived', async () => {
    const id = await scans.expectJob('compta');
    const reported = await agent.stage('compta.sql.gz', 'the ledger');
    await agent.drop('20260330_STATUS.json', agent.report(REPORTED, { compta: reported }));

    expect(await scans.run()).toMatchObject({ reports: 1, entries: 1, success: 1, archived: 1 });

    const path = `${scans.cast.tenant.slug}/Boulangerie Martin/Lyon/${agent.id}/compta/2026/03/compta_20260330T201000Z.sql.gz`;
    expect(scans.stored()).toEqual([path]);
    expect(readFileSync(join(scans.folders.env.BACKUP_STORE_DIR, path), 'utf8')).toBe('the ledger');
    expect(await scans.entries()).toMatchObject([
      {
        job_id: id,
        verdict: 'SUCCESS',
        reason: null,
        warnings: [],
        expected_on: '2026-03-30',
        expected_at: new Date('2026-03-30T20:00:00Z'),
        hash_sha256: sha256('the ledger'),
        server_hash_sha256: sha256('the ledger'),
        server_size_bytes: 10,
        stored_path: path,
        stored_state: 'stored',
        staged_action: null,
      },
    ]);
    expect(await scans.job(id)).toMatchObject({
      status: 'SUCCESS',
      status_since: new Date(REPORTED),
      last_success_at: new Date(REPORTED),
      last_failure_at: null,
      last_checked_at: new Date(MORNING),
    });
    expect(agent.files('database')).toEqual([]);
    expect(agent.files('log')).toEqual([]);
    expect(agent.files('archive')).toEqual(['20260330_STATUS.json']);
    // A second scan has nothing to do.
    expect(await scans.run()).toEqual({});
  });

  it('B4 another size with an equal hash is SUCCESS with a warning, and promoted', async () => {
    await scans.expectJob('compta');
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: { ...reported, size_bytes: 11 } }));
    await scans.run();
    expect(await scans.entries()).toMatchObject([{ verdict: 'SUCCESS', warnings: ['size_differs'] }]);
    expect(scans.stored()).toHaveLength(1);
    expect(agent.files('database')).toEqual([]);
  });

  it('B4, B6 HASH_MISMATCH: quarantined, not stored', async () => {
    const id = await scans.expectJob('compta');
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.put('database', 'compta.bak', 'the lodger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
    expect(await scans.run()).toMatchObject({ hash_mismatch: 1, quarantined: 1 });
    expect(await scans.entries()).toMatchObject([
      {
        verdict: 'HASH_MISMATCH',
        reason: 'hash_differs',
        server_hash_sha256: sha256('the lodger'),
        stored_path: null,
        staged_action: null,
      },
    ]);
    expect(await scans.job(id)).toMatchObject({
      status: 'HASH_MISMATCH',
      last_failure_at: new Date(REPORTED),
    });
    expect(scans.stored()).toEqual([]);
    expect(agent.files('quarantine')).toEqual(['compta.bak']);
    expect(agent.files('database')).toEqual([]);
  });

  it('B4 FAILED and TRANSFER_INTEGRITY_FAILED: as the agent reports; its file stays', async () => {
    await scans.expectJob('compta');
    await scans.expectJob('paie');
    await agent.put('database', 'paie.bak', 'half of it');
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, {
        compta: { status: 'failed', error_msg: 'the server is locked' },
        paie: {
          status: 'transfer_integrity_failed',
          staged_file_name: 'paie.bak',
          agent_transfer_error_message: 'checksum differs after the transfer',
        },
      }),
    );
    expect(await scans.run()).toMatchObject({
      entries: 2,
      failed: 1,
      transfer_integrity_failed: 1,
      archived: 1,
    });
    expect(await scans.entries()).toMatchObject([
      { database_name: 'compta', verdict: 'FAILED', reason: 'agent_failed', detail: 'the server is locked' },
      {
        database_name: 'paie',
        verdict: 'TRANSFER_INTEGRITY_FAILED',
        reason: 'agent_transfer_failed',
        detail: 'checksum differs after the transfer',
      },
    ]);
    expect(agent.files('database')).toEqual(['paie.bak']);
  });

  it('B4, B5 MISSING: once per expected time, and only after its grace period', async () => {
    const id = await scans.expectJob('compta');
    scans.clock.set('2026-03-30T22:00:00.000Z');
    await scans.run();
    expect(await scans.entries()).toEqual([]);
    scans.clock.set('2026-03-30T22:00:00.001Z');
    expect(await scans.run()).toMatchObject({ missing: 1 });
    expect(await scans.entries()).toMatchObject([
      {
        verdict: 'MISSING',
        reason: 'no_report',
        report_id: null,
        expected_on: '2026-03-30',
        effective_at: new Date('2026-03-30T20:00:00Z'),
      },
    ]);
    expect(await scans.job(id)).toMatchObject({
      status: 'MISSING',
      status_since: new Date('2026-03-30T20:00:00Z'),
    });
    expect(await scans.run()).toEqual({});
    // Two nights later two more are missing.
    scans.clock.set('2026-04-02T06:00:00Z');
    expect(await scans.run()).toMatchObject({ missing: 2 });
    expect((await scans.entries()).map(({ expected_on }) => expected_on)).toEqual([
      '2026-03-30',
      '2026-03-31',
      '2026-04-01',
    ]);
  });

  it('B4 a report without its file waits until the grace ends, is MISSING then, and SUCCESS once the file arrives', async () => {
    const id = await scans.expectJob('compta');
    scans.clock.set('2026-03-30T21:00:00Z');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') }));
    expect(await scans.run()).toEqual({ reports: 1 });
    expect(agent.files('log')).toEqual(['STATUS.json']);
    expect(await scans.run()).toEqual({ reports_known: 1 });

    scans.clock.set('2026-03-30T22:00:01Z');
    expect(await scans.run()).toMatchObject({ missing: 1, archived: 1 });
    expect(await scans.entries()).toMatchObject([
      { verdict: 'MISSING', reason: 'no_staged_file', settled_at: null },
    ]);

    await agent.put('database', 'compta.bak', 'the ledger');
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(await scans.entries()).toMatchObject([{ verdict: 'SUCCESS', reason: null }]);
    expect(await scans.job(id)).toMatchObject({ status: 'SUCCESS' });
    expect(scans.stored()).toHaveLength(1);
  });

  it('a late report from before its expected time resolves MISSING', async () => {
    const id = await scans.expectJob('compta');
    scans.clock.set('2026-03-30T22:00:00.001Z');
    expect(await scans.run()).toMatchObject({ missing: 1 });
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report('2026-03-30T19:50:00Z', { compta: reported }));
    scans.clock.set(MORNING);
    expect(await scans.run()).toMatchObject({ reports: 1, success: 1 });
    expect(await scans.job(id)).toMatchObject({ status: 'SUCCESS' });
    expect(scans.stored()[0]).toContain('compta_20260330T195000Z.bak');
  });

  it('verifies and stores unexpected databases like the others', async () => {
    const reported = await agent.stage('crm.bak', 'contacts');
    await agent.drop('STATUS.json', agent.report(REPORTED, { crm: reported }));
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(await scans.entries()).toMatchObject([{ job_id: null, expected_on: null, verdict: 'SUCCESS' }]);
    expect((await scans.entries())[0]!.announced_at).not.toBeNull();
    expect(scans.stored()).toHaveLength(1);
  });

  it('the newest report is the status, in whichever order they are read', async () => {
    const id = await scans.expectJob('compta');
    await agent.drop('1_STATUS.json', agent.report('2026-03-30T20:30:00Z', { compta: { status: 'failed' } }));
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('2_STATUS.json', agent.report('2026-03-30T20:20:00Z', { compta: reported }));
    await scans.run();
    expect((await scans.entries()).map(({ verdict }) => verdict)).toEqual(['SUCCESS', 'FAILED']);
    expect(await scans.job(id)).toMatchObject({
      status: 'FAILED',
      status_since: new Date('2026-03-30T20:30:00Z'),
      last_success_at: new Date('2026-03-30T20:20:00Z'),
    });
  });

  it('a file that two reports name belongs to one of them; the other has none, and nothing is quarantined', async () => {
    await scans.expectJob('compta');
    await agent.drop('1_STATUS.json', agent.report('2026-03-29T20:10:00Z', { compta: good('c.bak', 'old') }));
    const reported = await agent.stage('c.bak', 'new');
    await agent.drop('2_STATUS.json', agent.report(REPORTED, { compta: reported }));
    await scans.run();
    expect((await scans.entries()).map(({ verdict }) => verdict)).toEqual(['MISSING', 'SUCCESS']);
    expect(agent.files('quarantine')).toEqual([]);
    expect(scans.stored()).toHaveLength(1);
  });

  it('shows its progress, in the run and for a large file in the log', async () => {
    const size = 300 * 1_048_576;
    const path = agent.path('database', 'large.bak');
    await writeFile(path, '');
    await truncate(path, size);
    await rest(path);
    const zeros = createHash('sha256');
    const block = Buffer.alloc(1_048_576);
    for (let at = 0; at < size; at += block.length) zeros.update(block);
    const reported = { status: 'success', hash_sha256: zeros.digest('hex'), staged_file_name: 'large.bak' };
    await agent.drop('STATUS.json', agent.report(REPORTED, { large: { ...reported, size_bytes: size } }));
    const log = jest.spyOn(Logger.prototype, 'log');
    const scanning = scans.run();
    // The run shows its counts while it is running.
    await until('the run to show its progress', async () => {
      const [going] = await scans.world.sql(
        `SELECT 1 FROM job_runs WHERE state = 'running' AND (counts ->> 'reports')::int = 1`,
      );
      return going !== undefined;
    });
    expect(await scanning).toMatchObject({ success: 1, bytes: size });
    const logged = log.mock.calls.flatMap(([line]) => {
      const { event, percent } = line as { event?: string; percent?: number };
      return event === 'backup_file_progress' && percent !== undefined ? [percent] : [];
    });
    expect(logged).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    log.mockRestore();
  });
});
