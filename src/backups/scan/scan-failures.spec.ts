import { randomUUID } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { runJob } from '../../../test/support/watched.js';
import { Database } from '../../platform/database/database.js';
import { good, TestAgent } from '../agent.fixture.js';
import { addResult } from '../board/records.fixture.js';
import { Entries } from './entries.js';
import { FileVerifier } from './file-verifier.js';
import { ReportArchiver } from './report-archiver.js';
import { ReportCollector } from './report-collector.js';
import { REPORTED, ScannedWorld } from './scan.fixture.js';

/** How one failure, or a large volume, affects a scan. */
describe('a scan', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
    await scans.world.sql(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by the test'; END $$;
      CREATE TRIGGER refuse_report BEFORE INSERT ON backup_reports FOR EACH ROW
        WHEN (new.file_name = 'bad_STATUS.json') EXECUTE FUNCTION refuse();
      CREATE TRIGGER refuse_entry BEFORE UPDATE OF verdict ON backup_entries FOR EACH ROW
        WHEN (new.database_name = 'bad' AND new.verdict IS NOT NULL) EXECUTE FUNCTION refuse();
    `);
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
  });
  afterEach(() => jest.restoreAllMocks());

  const verdicts = async () =>
    (await scans.world.sql(`SELECT database_name, verdict FROM backup_entries ORDER BY 1`)).map(
      ({ database_name, verdict }) => `${String(database_name)} ${String(verdict)}`,
    );
  const alerts = () => scans.world.sql(`SELECT 1 FROM alerts WHERE kind = 'backup_alert'`);
  const failed = { status: 'failed' };

  describe('H20: whose database refuses one report', () => {
    beforeEach(async () => {
      await scans.expectJob('compta');
      await scans.expectJob('paie');
      await agent.drop('bad_STATUS.json', agent.report(REPORTED, { compta: failed }));
      await agent.drop('good_STATUS.json', agent.report(REPORTED, { paie: failed }));
    });

    it('records the others, evaluates, archives and announces them, and fails at its end', async () => {
      const other = await new TestAgent(scans.folders, agent.slug, `${agent.id}-z`).make();
      await other.drop('STATUS.json', other.report(REPORTED, { stocks: failed }));
      await expect(scans.run()).rejects.toThrow('the run ended failed: refused by the test');
      expect(await verdicts()).toContain('paie FAILED');
      expect(await verdicts()).toContain('stocks FAILED');
      expect([agent.files('archive'), agent.files('log')]).toEqual([
        ['good_STATUS.json'],
        ['bad_STATUS.json'],
      ]);
      expect(other.files('archive')).toEqual(['STATUS.json']);
      expect(await alerts()).not.toEqual([]);
    });

    it('reports the backup as missing, with the reason, once the report is stuck', async () => {
      await expect(scans.run()).rejects.toThrow('refused by the test');
      expect(await scans.entries()).toContainEqual(
        expect.objectContaining({
          verdict: 'MISSING',
          detail: 'the server could not record a report (P0001)',
        }),
      );
    });

    it('does not report the backup as missing while the report is new', async () => {
      const lately = new Date(scans.clock.now().getTime() - 600_000);
      await utimes(agent.path('log', 'bad_STATUS.json'), lately, lately);
      await expect(scans.run()).rejects.toThrow('refused by the test');
      expect(await verdicts()).toEqual(['paie FAILED']);
    });

    it('still applies retention and sends reminders in the daily check', async () => {
      await expect(runJob(scans.world, scans.cast.tenant_id, 'check-backups')).rejects.toThrow(
        'refused by the test',
      );
      expect(await verdicts()).toContain('paie FAILED');
    });
  });

  it('H20: whose database refuses one verdict commits the others, and fails at its end', async () => {
    const databases = Object.fromEntries(
      await Promise.all(
        ['compta', 'bad', 'paie'].map(
          async (name) => [name, await agent.stage(`${name}.bak`, name)] as const,
        ),
      ),
    );
    await agent.drop('STATUS.json', agent.report(REPORTED, databases));
    await expect(scans.run()).rejects.toThrow('refused by the test');
    expect(await verdicts()).toEqual(['bad null', 'compta SUCCESS', 'paie SUCCESS']);
    expect(agent.files('database')).toEqual(['bad.bak']);
  });

  it('H6: commits many verdicts in a transaction', async () => {
    const named = Array.from({ length: 300 }, (_, at) => [`db${at}`, good(`${at}.bak`, 'never came')]);
    const staged = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => [`staged${at}`, await agent.stage(`s${at}`, 'came')]),
    );
    // Longer ago than the file of an unexpected database is awaited.
    const report = agent.report('2026-03-29T20:10:00Z', Object.fromEntries([...named, ...staged]));
    await agent.drop('STATUS.json', report);
    const transactions = jest.spyOn(Database.prototype, 'tenant');
    expect(await scans.run()).toMatchObject({ missing: 300, success: 100 });
    expect(transactions.mock.calls.length).toBeLessThan(25);
  });

  it('H6: verifies the files of some agents before it reads the entries of the next', async () => {
    const order: string[] = [];
    const agents: TestAgent[] = [];
    for (const number of [1, 2, 3]) {
      const one = await new TestAgent(scans.folders, agent.slug, `${agent.id}-${number}`).make();
      await one.drop('STATUS.json', one.report(REPORTED, { db: await one.stage('db.bak', 'data') }));
      agents.push(one);
    }
    const unsettled = Reflect.get<Entries, 'unsettled'>(Entries.prototype, 'unsettled');
    jest.spyOn(Entries.prototype, 'unsettled').mockImplementation(async function (this: Entries, tenant, id) {
      const entries = await unsettled.call(this, tenant, id);
      order.push(`entries of ${id}`);
      return entries.flatMap((entry) => Array.from({ length: 3_000 }, () => ({ ...entry })));
    });
    jest.spyOn(FileVerifier.prototype, 'verify').mockImplementation((_scan, [entry]) => {
      order.push(`file of ${entry?.agent_id ?? ''}`);
      return Promise.resolve('unstorable');
    });
    await scans.run();
    const [one, two, three] = agents.map(({ id }) => id);
    const steps = order.filter((step) => !step.endsWith(agent.id));
    expect(steps.slice(0, 2)).toEqual([`entries of ${one}`, `entries of ${two}`]);
    expect(steps.slice(2, 4).sort()).toEqual([`file of ${one}`, `file of ${two}`]);
    expect(steps.slice(4)).toEqual([`entries of ${three}`, `file of ${three}`]);
  });

  it('H26: archives the reports of some agents before it reads those of the next', async () => {
    const other = await new TestAgent(scans.folders, agent.slug, `${agent.id}-z`).make();
    for (let number = 0; number < 2_000; number += 1) await agent.drop(`${number}_STATUS.json`, '');
    await other.drop('STATUS.json', '');
    jest.spyOn(ReportCollector.prototype, 'recordFile').mockResolvedValue(randomUUID());
    const archive = jest.spyOn(ReportArchiver.prototype, 'archive').mockResolvedValue();
    await scans.run();
    expect(archive.mock.calls.map(([, files]) => files.length)).toEqual([2_000, 1]);
  });

  it('H26: does not rewrite jobs whose status is unchanged', async () => {
    const id = await scans.expectJob('compta');
    await addResult(scans.world, scans.cast.tenant_id, {
      job_id: id,
      effective_at: REPORTED,
      verdict: 'SUCCESS',
      expected_on: '2026-03-30',
      expected_at: '2026-03-30T20:00:00Z',
    });
    await scans.run();
    const version = async () =>
      (await scans.world.sql(`SELECT xmin::text, ctid::text FROM backup_jobs WHERE id = $1`, [id]))[0];
    const before = await version();
    scans.clock.set('2026-03-31T06:15:00Z');
    await scans.run();
    expect(await version()).toEqual(before);
    expect(await scans.job(id)).toMatchObject({ last_checked_at: new Date('2026-03-31T06:15:00Z') });
  });
});
