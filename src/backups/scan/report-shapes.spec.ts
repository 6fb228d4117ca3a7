import { Logger } from '@nestjs/common';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { wordedNotifications } from '../../../test/support/worded.js';
import { good, TestAgent } from '../agent.fixture.js';
import { REPORTED, ScannedWorld } from './scan.fixture.js';

describe('reports as agents write them', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
  });

  const titles = async () =>
    (await wordedNotifications(scans.world, scans.cast.tenant_id)).map(({ title }) => title);
  const post = (body: unknown) =>
    scans.world.http('POST', '/api/v1/backups/reports', { token: scans.cast.admin.token, body });

  it('D2: an upgraded agent’s report is verified, with a note', async () => {
    await scans.expectJob('compta');
    const reported = await agent.stage('compta.bak', 'the ledger');
    const report = agent.report(
      REPORTED,
      { compta: { ...reported, duration_seconds: 12, tool: { name: 'pg_dump\0' } } },
      { agent_version: '2.1.0' },
    );
    await agent.drop('STATUS.json', report);
    expect(await scans.run()).toMatchObject({ reports: 1, success: 1 });
    expect(await scans.entries()).toMatchObject([{ verdict: 'SUCCESS', warnings: ['unknown_fields'] }]);
    const [{ content }] = (await scans.world.sql(`SELECT content FROM backup_reports`)) as [
      { content: Record<string, unknown> },
    ];
    expect(content.unknown).toEqual({
      report: { agent_version: '2.1.0' },
      databases: { compta: { duration_seconds: 12, tool: { name: 'pg_dump' } } },
    });
    // The same report over REST is recognized.
    expect(await post(report)).toMatchObject({
      status: 200,
      body: {
        created: false,
        warnings: [
          '/agent_version: is unknown to this version and kept',
          '/databases/compta/duration_seconds: is unknown to this version and kept',
          '/databases/compta/tool: is unknown to this version and kept',
        ],
      },
    });
  });

  it('D3, D5: a faulty database is FAILED with its reason, the others are verified', async () => {
    await scans.expectJob('compta');
    await scans.expectJob('paie');
    const [compta, paie] = [
      await agent.stage('compta.bak', 'the ledger'),
      await agent.stage('paie.bak', 'wages'),
    ];
    const unnamed = { ...compta, staged_file_name: undefined };
    await agent.drop(
      '20260330_status.json',
      agent.report('2026-03-30 20:10:00', {
        compta: unnamed,
        paie,
        stocks: { ...paie, hash_sha256: 'd41d8cd9' },
      }),
    );
    expect(await scans.run()).toMatchObject({ reports: 1, success: 1, failed: 2, archived: 1 });
    expect(await scans.entries()).toMatchObject([
      {
        database_name: 'compta',
        verdict: 'FAILED',
        reason: 'report_invalid',
        detail: '/staged_file_name: is missing but required for a success',
        hash_sha256: compta.hash_sha256,
        operation_timestamp_utc: new Date(REPORTED),
      },
      { database_name: 'paie', verdict: 'SUCCESS' },
      {
        database_name: 'stocks',
        verdict: 'FAILED',
        reason: 'report_invalid',
        job_id: null,
        hash_sha256: null,
      },
    ]);
    expect(await titles()).toEqual(['ALERTE SAUVEGARDE - compta - FAILED']);
  });

  it('F2: a report of a macOS agent matches the job that a person named', async () => {
    const id = await scans.expectJob('Tr\u00e9sorerie');
    const reported = await agent.stage('treso.bak', 'the cash');
    await agent.drop('STATUS.json', agent.report(REPORTED, { 'Tre\u0301sorerie\u200b': reported }));
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(await scans.entries()).toMatchObject([{ job_id: id, database_name: 'Tr\u00e9sorerie' }]);
    const made = await scans.world.http('POST', '/api/v1/backups/jobs', {
      token: scans.cast.admin.token,
      body: {
        ...{ agent_id: agent.id, company_name: 'B', city: 'Lyon', expected_time: '02:00' },
        database_name: ' Tre\u0301sorerie\u200b',
      },
    });
    expect(made.status).toBe(409);
  });

  it('D8: two spellings of one name in a report are FAILED once, and nothing is read again', async () => {
    const reported = await agent.stage('e.bak', 'the ledger');
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, { '\u00e9': reported, 'e\u0301': good('f.bak', 'other') }),
    );
    await scans.run();
    expect(await scans.entries()).toMatchObject([{ verdict: 'FAILED', reason: 'report_invalid' }]);
    expect(agent.files('database')).toEqual(['e.bak']);
    expect(await scans.run()).toEqual({});
  });

  it.each(['a_status.json', 'STATUS.JSON', 'b_Status.Json'])('D8, F9: %s is a report', async (name) => {
    await agent.drop(name, agent.report(REPORTED, { compta: { status: 'failed' } }));
    expect(await scans.run()).toMatchObject({ reports: 1, archived: 1 });
    expect(agent.files('archive')).toEqual([name]);
  });

  it('D8: a folder whose name is not an agent id is on the board, and in the log once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const inbox = join(scans.folders.env.BACKUP_INBOX_DIR, scans.cast.tenant.slug);
    await mkdir(join(inbox, 'agent \u00e9t\u00e9', 'log'), { recursive: true });
    await mkdir(join(inbox, '.snapshot'));
    await scans.run();
    await scans.run();
    const lines = warn.mock.calls.filter(
      ([line]) => (line as { event: string }).event === 'backup_folders_ignored',
    );
    expect(lines).toEqual([[expect.objectContaining({ folders: ['agent \u00e9t\u00e9'], count: 1 })]]);
    warn.mockRestore();
    const board = await scans.world.http('GET', '/api/v1/backups/status', { token: scans.cast.admin.token });
    expect(board.body).toMatchObject({ ignored_folders: ['agent \u00e9t\u00e9'] });
  });
});
