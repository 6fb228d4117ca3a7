import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { good, rest, sha256, type TestAgent } from '../agent.fixture.js';
import { REPORTED, ScannedWorld } from './scan.fixture.js';

describe('a scan of the inbox', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
  });

  it('records the same report once, from file and REST', async () => {
    await scans.expectJob('compta');
    const reported = await agent.stage('compta.bak', 'the ledger');
    const report = agent.report(REPORTED, { compta: reported });
    const post = () =>
      scans.world.http('POST', '/api/v1/backups/reports', { token: scans.cast.admin.token, body: report });
    const first = await post();
    expect(first).toMatchObject({ status: 201, body: { created: true } });
    expect(await post()).toMatchObject({
      status: 200,
      body: { created: false, id: (first.body as { id: string }).id },
    });
    // The same content, formatted differently.
    const { databases, ...rest } = report;
    await agent.drop('a_STATUS.json', JSON.stringify({ databases, ...rest }, null, 4));
    await agent.drop(
      'b_STATUS.json',
      `\ufeff${JSON.stringify({ ...report, operation_timestamp_utc: '2026-03-30T22:10:00+02:00' })}`,
    );
    expect(await scans.run()).toMatchObject({ reports_known: 2, success: 1, archived: 2 });
    expect(await scans.entries()).toHaveLength(1);
  });

  it('leaves files that are still being written for the next scan', async () => {
    await scans.expectJob('compta');
    const report = agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') });
    await agent.put('log', 'STATUS.json.part', JSON.stringify(report));
    await agent.put('database', 'compta.bak.part', 'the led');
    scans.clock.set('2026-03-30T21:00:00Z');
    expect(await scans.run()).toEqual({});
    // It grows during the scan: the second stat of a recent file differs from the first.
    await writeFile(agent.path('log', 'STATUS.json'), '{"operation_');
    const scan = { ended: false };
    const scanning = scans.run().finally(() => (scan.ended = true));
    while (!scan.ended) await appendFile(agent.path('log', 'STATUS.json'), ' ');
    expect(await scanning).toEqual({ still_written: 1 });
    await agent.put('log', 'STATUS.json', JSON.stringify(report));
    await rename(agent.path('database', 'compta.bak.part'), agent.path('database', 'compta.bak'));
    await agent.put('database', 'compta.bak', 'the ledger');
    expect(await scans.run()).toMatchObject({ reports: 1, success: 1 });
  });

  it.each([
    ['a path upwards', '../../../etc/passwd', 'unsafe_name'],
    ['an absolute path', '/etc/passwd', 'unsafe_name'],
    ['a folder below', 'more/compta.bak', 'unsafe_name'],
    ['a path of Windows', '..\\compta.bak', 'unsafe_name'],
    ['the folder itself', '.', 'unsafe_name'],
    ['a symbolic link', 'link.bak', 'symbolic_link'],
    ['a folder', 'folder.bak', 'not_a_file'],
  ])('B4 refuses %s as FAILED, with the reason', async (_what, name, reason) => {
    await scans.expectJob('compta');
    await symlink('/etc/hostname', agent.path('database', 'link.bak'));
    await mkdir(agent.path('database', 'folder.bak'));
    const hash = sha256(readFileSync('/etc/hostname'));
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, { compta: { status: 'success', hash_sha256: hash, staged_file_name: name } }),
    );
    await scans.run();
    expect(await scans.entries()).toMatchObject([{ verdict: 'FAILED', reason }]);
    expect(scans.stored()).toEqual([]);
  });

  it('refuses an agent’s folder that is a link', async () => {
    await scans.expectJob('compta');
    await rename(agent.path('database'), agent.path('database').replace(/database\/?$/, 'other'));
    await symlink('/etc', agent.path('database').replace(/\/$/, ''));
    const hash = sha256(readFileSync('/etc/hostname'));
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, {
        compta: { status: 'success', hash_sha256: hash, staged_file_name: 'hostname' },
      }),
    );
    await scans.run();
    expect(await scans.entries()).toMatchObject([{ verdict: 'FAILED', reason: 'symbolic_link' }]);
    expect(scans.stored()).toEqual([]);
  });

  it('never overwrites another file in the store; the same file counts as the backup', async () => {
    await scans.expectJob('compta');
    const path = `${scans.cast.tenant.slug}/Boulangerie Martin/Lyon/${agent.id}/compta/2026/03/compta_20260330T201000Z.bak`;
    const full = join(scans.folders.env.BACKUP_STORE_DIR, path);
    await mkdir(full.slice(0, full.lastIndexOf('/')), { recursive: true });
    await writeFile(full, 'another');
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
    await scans.run();
    expect(await scans.entries()).toMatchObject([
      { verdict: 'FAILED', reason: 'target_taken', settled_at: null },
    ]);
    expect(readFileSync(full, 'utf8')).toBe('another');
    expect(agent.files('database')).toEqual(['compta.bak']);
    // Once a person puts the right file there, the next try finds it.
    await writeFile(full, 'the ledger');
    await rest(full);
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(agent.files('database')).toEqual([]);
  });

  it('rejects invalid reports, with the reason beside them, and continues with the others', async () => {
    await scans.expectJob('compta');
    await agent.drop('torn_STATUS.json', '{"operation_timestamp_utc": "2026-03-30T2');
    await agent.drop(
      'other_STATUS.json',
      agent.report(REPORTED, { x: { status: 'failed' } }, { agent_id: 'someone-else' }),
    );
    await agent.drop(
      'bad_STATUS.json',
      agent.report('yesterday', { 'a/b': { status: 'odd' } }, { city: '' }),
    );
    const reported = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('good_STATUS.json', agent.report(REPORTED, { compta: reported }));
    expect(await scans.run()).toMatchObject({ rejected: 3, reports: 1, success: 1 });
    expect(agent.files('rejected')).toEqual([
      'bad_STATUS.json',
      'bad_STATUS.json.reason',
      'other_STATUS.json',
      'other_STATUS.json.reason',
      'torn_STATUS.json',
      'torn_STATUS.json.reason',
    ]);
    expect(agent.read('rejected', 'torn_STATUS.json.reason')).toMatch(/not JSON/);
    expect(agent.read('rejected', 'other_STATUS.json.reason')).toMatch(
      /someone-else does not match the agent of this folder/,
    );
    expect(agent.read('rejected', 'bad_STATUS.json.reason')).toMatch(
      /\/operation_timestamp_utc: .*an instant/,
    );
    expect(agent.read('rejected', 'bad_STATUS.json.reason')).toMatch(/\/city: /);
    const rejected = await scans.world.sql(
      `SELECT file_name, state FROM backup_reports WHERE agent_id = $1 AND state = 'rejected' ORDER BY file_name`,
      [agent.id],
    );
    expect(rejected.map(({ file_name }) => file_name)).toEqual([
      'bad_STATUS.json',
      'other_STATUS.json',
      'torn_STATUS.json',
    ]);
  });

  it('MISSING has the reason of a rejected report', async () => {
    await scans.expectJob('compta');
    await agent.drop('STATUS.json', '[]');
    expect(await scans.run()).toMatchObject({ rejected: 1, missing: 1 });
    expect(await scans.entries()).toMatchObject([
      {
        verdict: 'MISSING',
        reason: 'report_rejected',
        detail: 'STATUS.json\na report must be one JSON object',
      },
    ]);
  });

  it('B2 accepts a report with any text', async () => {
    await scans.expectJob('compta');
    // The cut comes in the middle of a character.
    const logs_summary = `${'a'.repeat(19_999)}\u{1f600}`;
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, { compta: { status: 'failed', error_msg: 'one\r\ntwo\0\ud83d', logs_summary } }),
    );
    expect(await scans.run()).toMatchObject({ reports: 1 });
    expect(await scans.entries()).toMatchObject([
      { verdict: 'FAILED', error_msg: 'one\ntwo\ufffd', logs_summary: `${'a'.repeat(19_999)}\ufffd` },
    ]);
  });
});
