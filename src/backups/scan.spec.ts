import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { type Cast, createCast } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import {
  type BackupFolders,
  backupFolders,
  good,
  rest,
  scan,
  sha256,
  stored,
  TestAgent,
} from './agent.fixture.js';

/** Tuesday 31 March 2026, 08:00 in Paris: the night's backups are in. */
const MORNING = '2026-03-31T06:00:00.000Z';
const REPORTED = '2026-03-30T20:10:00Z';

describe('the scan of backups', () => {
  const clock = new FixedClock(MORNING);
  let folders: BackupFolders;
  let world: World;
  let cast: Cast;
  let agent: TestAgent;
  let agents = 0;

  beforeAll(async () => {
    folders = await backupFolders();
    world = await createWorld({ clock, env: folders.env });
    cast = await createCast(world);
  });
  afterAll(async () => {
    await world.close();
    await folders.remove();
  });
  beforeEach(async () => {
    clock.set(MORNING);
    await world.sql('DELETE FROM backup_jobs');
    agents += 1;
    agent = await new TestAgent(folders, cast.tenant.slug, `agent-${agents}`).make();
  });

  /** Expects a database of the agent at 22:00, two hours of grace, since yesterday noon. */
  async function expectJob(database: string, fields: Record<string, unknown> = {}): Promise<string> {
    const [row] = await world.sql<{ id: string }>(
      `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                                grace_minutes, expected_after, created_at, updated_at)
       VALUES ($1, $2, $3, 'Boulangerie Martin', 'Lyon', $4, '{1,2,3,4,5,6,7}', 120, $5, $5, $5) RETURNING id`,
      [
        cast.tenant_id,
        agent.id,
        database,
        fields.expected_time ?? '22:00',
        fields.expected_after ?? '2026-03-30T10:00:00Z',
      ],
    );
    return row!.id;
  }

  const entries = (of: TestAgent = agent) =>
    world.sql(`SELECT * FROM backup_entries WHERE agent_id = $1 ORDER BY effective_at, database_name, id`, [
      of.id,
    ]);
  const job = async (id: string) => (await world.sql(`SELECT * FROM backup_jobs WHERE id = $1`, [id]))[0]!;
  const run = () => scan(world, cast.tenant_id);
  const mine = () => stored(folders).filter((path) => path.includes(`/${agent.id}/`));

  it('B4, B6 SUCCESS: verified, promoted, taken from the inbox, archived', async () => {
    const id = await expectJob('compta');
    const said = await agent.stage('compta.sql.gz', 'the ledger');
    await agent.drop('20260330_STATUS.json', agent.report(REPORTED, { compta: said }));

    expect(await run()).toMatchObject({ reports: 1, entries: 1, success: 1, archived: 1 });

    const path = `${cast.tenant.slug}/Boulangerie Martin/Lyon/${agent.id}/compta/2026/03/compta_20260330T201000Z.sql.gz`;
    expect(mine()).toEqual([path]);
    expect(readFileSync(join(folders.env.BACKUP_STORE_DIR, path), 'utf8')).toBe('the ledger');
    expect(await entries()).toMatchObject([
      {
        job_id: id,
        verdict: 'SUCCESS',
        reason: null,
        warning: null,
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
    expect(await job(id)).toMatchObject({
      status: 'SUCCESS',
      status_since: new Date(REPORTED),
      last_success_at: new Date(REPORTED),
      last_failure_at: null,
      last_checked_at: new Date(MORNING),
    });
    expect(agent.files('database')).toEqual([]);
    expect(agent.files('log')).toEqual([]);
    expect(agent.files('archive')).toEqual(['20260330_STATUS.json']);
    // Once more there is nothing to do.
    expect(await run()).toEqual({});
  });

  it('B4 another size with an equal hash is SUCCESS with a warning, and promoted', async () => {
    await expectJob('compta');
    const said = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: { ...said, size_bytes: 11 } }));
    await run();
    expect(await entries()).toMatchObject([{ verdict: 'SUCCESS', warning: 'size_differs' }]);
    expect(mine()).toHaveLength(1);
    expect(agent.files('database')).toEqual([]);
  });

  it('B4, B6 HASH_MISMATCH: quarantined, nothing in the store', async () => {
    const id = await expectJob('compta');
    const said = await agent.stage('compta.bak', 'the ledger');
    await agent.put('database', 'compta.bak', 'the lodger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: said }));
    expect(await run()).toMatchObject({ hash_mismatch: 1, quarantined: 1 });
    expect(await entries()).toMatchObject([
      {
        verdict: 'HASH_MISMATCH',
        reason: 'hash_differs',
        server_hash_sha256: sha256('the lodger'),
        stored_path: null,
        staged_action: null,
      },
    ]);
    expect(await job(id)).toMatchObject({ status: 'HASH_MISMATCH', last_failure_at: new Date(REPORTED) });
    expect(mine()).toEqual([]);
    expect(agent.files('quarantine')).toEqual(['compta.bak']);
    expect(agent.files('database')).toEqual([]);
  });

  it('B4 FAILED and TRANSFER_INTEGRITY_FAILED: as the agent says; its file stays', async () => {
    await expectJob('compta');
    await expectJob('paie');
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
    expect(await run()).toMatchObject({ entries: 2, failed: 1, transfer_integrity_failed: 1, archived: 1 });
    expect(await entries()).toMatchObject([
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

  it('B4, B5 MISSING: once an expected time, and only once its grace is past', async () => {
    const id = await expectJob('compta');
    clock.set('2026-03-30T22:00:00.000Z');
    await run();
    expect(await entries()).toEqual([]);
    clock.set('2026-03-30T22:00:00.001Z');
    expect(await run()).toMatchObject({ missing: 1 });
    expect(await entries()).toMatchObject([
      {
        verdict: 'MISSING',
        reason: 'no_report',
        report_id: null,
        expected_on: '2026-03-30',
        effective_at: new Date('2026-03-30T20:00:00Z'),
      },
    ]);
    expect(await job(id)).toMatchObject({
      status: 'MISSING',
      status_since: new Date('2026-03-30T20:00:00Z'),
    });
    expect(await run()).toEqual({});
    // Two nights later there are two more.
    clock.set('2026-04-02T06:00:00Z');
    expect(await run()).toMatchObject({ missing: 2 });
    expect((await entries()).map(({ expected_on }) => expected_on)).toEqual([
      '2026-03-30',
      '2026-03-31',
      '2026-04-01',
    ]);
  });

  it('B4 a report without its file waits until the grace ends, is MISSING then, and SUCCESS once it comes', async () => {
    const id = await expectJob('compta');
    clock.set('2026-03-30T21:00:00Z');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') }));
    expect(await run()).toEqual({ reports: 1 });
    expect(agent.files('log')).toEqual(['STATUS.json']);
    expect(await run()).toEqual({ reports_known: 1 });

    clock.set('2026-03-30T22:00:01Z');
    expect(await run()).toMatchObject({ missing: 1, archived: 1 });
    expect(await entries()).toMatchObject([
      { verdict: 'MISSING', reason: 'no_staged_file', settled_at: null },
    ]);

    await agent.put('database', 'compta.bak', 'the ledger');
    expect(await run()).toMatchObject({ success: 1 });
    expect(await entries()).toMatchObject([{ verdict: 'SUCCESS', reason: null }]);
    expect(await job(id)).toMatchObject({ status: 'SUCCESS' });
    expect(mine()).toHaveLength(1);
  });

  it('a report from before its expected time that comes after MISSING was said ends it', async () => {
    const id = await expectJob('compta');
    clock.set('2026-03-30T22:00:00.001Z');
    expect(await run()).toMatchObject({ missing: 1 });
    const said = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report('2026-03-30T19:50:00Z', { compta: said }));
    clock.set(MORNING);
    expect(await run()).toMatchObject({ reports: 1, success: 1 });
    expect(await job(id)).toMatchObject({ status: 'SUCCESS' });
    expect(mine()[0]).toContain('compta_20260330T195000Z.bak');
  });

  it('keeps what nobody expects, verified and promoted like the rest', async () => {
    const said = await agent.stage('crm.bak', 'contacts');
    await agent.drop('STATUS.json', agent.report(REPORTED, { crm: said }));
    expect(await run()).toMatchObject({ success: 1 });
    expect(await entries()).toMatchObject([{ job_id: null, expected_on: null, verdict: 'SUCCESS' }]);
    expect((await entries())[0]!.announced_at).not.toBeNull();
    expect(mine()).toHaveLength(1);
  });

  it('takes the same report once, from both ways', async () => {
    await expectJob('compta');
    const said = await agent.stage('compta.bak', 'the ledger');
    const report = agent.report(REPORTED, { compta: said });
    const post = () =>
      world.http('POST', '/api/v1/backups/reports', { token: cast.admin.token, body: report });
    const first = await post();
    expect(first).toMatchObject({ status: 201, body: { created: true } });
    expect(await post()).toMatchObject({
      status: 200,
      body: { created: false, id: (first.body as { id: string }).id },
    });
    // Written otherwise, it says the same.
    const { databases, ...rest } = report;
    await agent.drop('a_STATUS.json', JSON.stringify({ databases, ...rest }, null, 4));
    await agent.drop(
      'b_STATUS.json',
      `\ufeff${JSON.stringify({ ...report, operation_timestamp_utc: '2026-03-30T22:10:00+02:00' })}`,
    );
    expect(await run()).toMatchObject({ reports_known: 2, success: 1, archived: 2 });
    expect(await entries()).toHaveLength(1);
  });

  it('the newest report is the status, in whichever order they are read', async () => {
    const id = await expectJob('compta');
    await agent.drop('1_STATUS.json', agent.report('2026-03-30T20:30:00Z', { compta: { status: 'failed' } }));
    const said = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('2_STATUS.json', agent.report('2026-03-30T20:20:00Z', { compta: said }));
    await run();
    expect((await entries()).map(({ verdict }) => verdict)).toEqual(['SUCCESS', 'FAILED']);
    expect(await job(id)).toMatchObject({
      status: 'FAILED',
      status_since: new Date('2026-03-30T20:30:00Z'),
      last_success_at: new Date('2026-03-30T20:20:00Z'),
    });
  });

  it('one staged name of two reports is right for one of them, and not quarantined', async () => {
    await expectJob('compta');
    await agent.drop('1_STATUS.json', agent.report('2026-03-29T20:10:00Z', { compta: good('c.bak', 'old') }));
    const said = await agent.stage('c.bak', 'new');
    await agent.drop('2_STATUS.json', agent.report(REPORTED, { compta: said }));
    await run();
    expect((await entries()).map(({ verdict }) => verdict)).toEqual(['HASH_MISMATCH', 'SUCCESS']);
    expect(agent.files('quarantine')).toEqual([]);
    expect(mine()).toHaveLength(1);
  });

  it('leaves what is still being written for the next scan', async () => {
    await expectJob('compta');
    const report = agent.report(REPORTED, { compta: good('compta.bak', 'the ledger') });
    await agent.put('log', 'STATUS.json.part', JSON.stringify(report));
    await agent.put('database', 'compta.bak.part', 'the led');
    clock.set('2026-03-30T21:00:00Z');
    expect(await run()).toEqual({});
    // It grows while the scan looks: of the two looks at a young file the second is another.
    await writeFile(agent.path('log', 'STATUS.json'), '{"operation_');
    const scanning = run();
    const growing = setInterval(() => void appendFile(agent.path('log', 'STATUS.json'), ' '), 50);
    expect(await scanning).toEqual({ still_written: 1 });
    clearInterval(growing);
    await agent.put('log', 'STATUS.json', JSON.stringify(report));
    await rename(agent.path('database', 'compta.bak.part'), agent.path('database', 'compta.bak'));
    await agent.put('database', 'compta.bak', 'the ledger');
    expect(await run()).toMatchObject({ reports: 1, success: 1 });
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
    await expectJob('compta');
    await symlink('/etc/hostname', agent.path('database', 'link.bak'));
    await mkdir(agent.path('database', 'folder.bak'));
    const hash = sha256(readFileSync('/etc/hostname'));
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, { compta: { status: 'success', hash_sha256: hash, staged_file_name: name } }),
    );
    await run();
    expect(await entries()).toMatchObject([{ verdict: 'FAILED', reason }]);
    expect(mine()).toEqual([]);
  });

  it('refuses a folder of the agent that is a link elsewhere', async () => {
    await expectJob('compta');
    await rename(agent.path('database'), agent.path('database').replace(/database\/?$/, 'other'));
    await symlink('/etc', agent.path('database').replace(/\/$/, ''));
    const hash = sha256(readFileSync('/etc/hostname'));
    await agent.drop(
      'STATUS.json',
      agent.report(REPORTED, {
        compta: { status: 'success', hash_sha256: hash, staged_file_name: 'hostname' },
      }),
    );
    await run();
    expect(await entries()).toMatchObject([{ verdict: 'FAILED', reason: 'symbolic_link' }]);
    expect(mine()).toEqual([]);
  });

  it('never overwrites another file in the store; the same one is the backup', async () => {
    await expectJob('compta');
    const path = `${cast.tenant.slug}/Boulangerie Martin/Lyon/${agent.id}/compta/2026/03/compta_20260330T201000Z.bak`;
    const full = join(folders.env.BACKUP_STORE_DIR, path);
    await mkdir(full.slice(0, full.lastIndexOf('/')), { recursive: true });
    await writeFile(full, 'another');
    const said = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('STATUS.json', agent.report(REPORTED, { compta: said }));
    await run();
    expect(await entries()).toMatchObject([{ verdict: 'FAILED', reason: 'target_taken', settled_at: null }]);
    expect(readFileSync(full, 'utf8')).toBe('another');
    expect(agent.files('database')).toEqual(['compta.bak']);
    // Somebody looks into it, and puts the right one there: the next try finds it.
    await writeFile(full, 'the ledger');
    await rest(full);
    expect(await run()).toMatchObject({ success: 1 });
    expect(agent.files('database')).toEqual([]);
  });

  it('tells how far it is, in the run and for a large file in the log', async () => {
    const size = 300 * 1_048_576;
    const path = agent.path('database', 'large.bak');
    await writeFile(path, '');
    await truncate(path, size);
    await rest(path);
    const zeros = createHash('sha256');
    const block = Buffer.alloc(1_048_576);
    for (let at = 0; at < size; at += block.length) zeros.update(block);
    const said = { status: 'success', hash_sha256: zeros.digest('hex'), staged_file_name: 'large.bak' };
    await agent.drop('STATUS.json', agent.report(REPORTED, { large: { ...said, size_bytes: size } }));
    const log = jest.spyOn(Logger.prototype, 'log');
    const scanning = run();
    // What the run says of itself while it goes on.
    await until('the run to tell how far it is', async () => {
      const [going] = await world.sql(
        `SELECT 1 FROM job_runs WHERE state = 'running' AND (counts ->> 'reports')::int = 1`,
      );
      return going !== undefined;
    });
    expect(await scanning).toMatchObject({ success: 1, bytes: size });
    const told = log.mock.calls.flatMap(([line]) => {
      const { event, percent } = line as { event?: string; percent?: number };
      return event === 'backup_file_progress' && percent !== undefined ? [percent] : [];
    });
    expect(told).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    log.mockRestore();
  });

  it('rejects what is no report, with the reason beside it, and goes on with the others', async () => {
    await expectJob('compta');
    await agent.drop('torn_STATUS.json', '{"operation_timestamp_utc": "2026-03-30T2');
    await agent.drop(
      'other_STATUS.json',
      agent.report(REPORTED, { x: { status: 'failed' } }, { agent_id: 'someone-else' }),
    );
    await agent.drop('bad_STATUS.json', agent.report(REPORTED, { 'a/b': { status: 'odd', size_bytes: -1 } }));
    const said = await agent.stage('compta.bak', 'the ledger');
    await agent.drop('good_STATUS.json', agent.report(REPORTED, { compta: said }));
    expect(await run()).toMatchObject({ rejected: 3, reports: 1, success: 1 });
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
      /someone-else is not the agent of this folder/,
    );
    expect(agent.read('rejected', 'bad_STATUS.json.reason')).toMatch(/\/databases\/a~1b\/status: .*one of/);
    expect(agent.read('rejected', 'bad_STATUS.json.reason')).toMatch(/\/databases\/a~1b\/size_bytes: /);
    const rejected = await world.sql(
      `SELECT file_name, state FROM backup_reports WHERE agent_id = $1 AND state = 'rejected' ORDER BY file_name`,
      [agent.id],
    );
    expect(rejected.map(({ file_name }) => file_name)).toEqual([
      'bad_STATUS.json',
      'other_STATUS.json',
      'torn_STATUS.json',
    ]);
  });

  it('MISSING says what was rejected, where that is why', async () => {
    await expectJob('compta');
    await agent.drop('STATUS.json', '[]');
    expect(await run()).toMatchObject({ rejected: 1, missing: 1 });
    expect(await entries()).toMatchObject([
      {
        verdict: 'MISSING',
        reason: 'report_rejected',
        detail: 'STATUS.json\nthe file must hold one JSON object',
      },
    ]);
  });
});
