import { runJob } from '../../../test/support/watched.js';
import { wordedNotifications } from '../../../test/support/worded.js';
import { addJob } from '../board/records.fixture.js';
import { TestAgent } from '../agent.fixture.js';
import { REPORTED, ScannedWorld } from '../scan/scan.fixture.js';

const DAY_MS = 86_400_000;

let scans: ScannedWorld;
let agent: TestAgent;

beforeAll(async () => {
  scans = await ScannedWorld.create();
});
afterAll(() => scans.close());
beforeEach(async () => {
  agent = await scans.beginAnew();
});

const notifications = () => wordedNotifications(scans.world, scans.cast.tenant_id);
const titles = async () => (await notifications()).map(({ title }) => title);
const alerts = () =>
  scans.world.sql(
    `SELECT kind, state, occurrences, gone_at IS NOT NULL AS gone FROM alerts ORDER BY first_seen_at, id`,
  );

describe('D4: a rejected report', () => {
  it('D4: is announced at once, even if its agent has no job, and the next good report resolves it', async () => {
    await agent.drop('STATUS.json', '{"operation_timestamp_utc": "2026-03-30T2');
    expect(await scans.run()).toMatchObject({ rejected: 1, rejections_announced: 1 });
    const [told] = await notifications();
    expect(told).toMatchObject({
      kind: 'backup_report_rejected',
      title: `ALERTE SAUVEGARDE - ${agent.id} - RAPPORT REJETÉ`,
      severity: 'critical',
      data: {
        agent_id: agent.id,
        file_name: 'STATUS.json',
        rejected: 1,
        reason: expect.stringContaining('not JSON'),
      },
    });
    // Another one is the same alert.
    await agent.drop('b_STATUS.json', '[]');
    await scans.run();
    expect(await titles()).toHaveLength(1);
    expect(await alerts()).toEqual([
      { kind: 'backup_report_rejected', state: 'open', occurrences: 2, gone: false },
    ]);
    await agent.drop('c_STATUS.json', agent.report(REPORTED, { compta: { status: 'failed' } }));
    await scans.run();
    expect(await alerts()).toMatchObject([{ gone: true }]);
    expect(await titles()).toHaveLength(1);
    await agent.drop('d_STATUS.json', '[ ]');
    await scans.run();
    expect(await titles()).toHaveLength(2);
  });

  it('D4: of the same bytes is announced again after a good one, and a retry is quiet', async () => {
    await agent.drop('STATUS.json', '');
    await scans.run();
    await scans.run();
    expect(await titles()).toHaveLength(1);
    await agent.drop('b_STATUS.json', agent.report(REPORTED, { compta: { status: 'failed' } }));
    await scans.run();
    await agent.drop('STATUS.json', '');
    expect(await scans.run()).toMatchObject({ rejected: 1, rejections_announced: 1 });
    // By now a report has named its city.
    expect(await titles()).toEqual([
      `ALERTE SAUVEGARDE - ${agent.id} - RAPPORT REJETÉ`,
      `ALERTE SAUVEGARDE - ${agent.id} (Lyon) - RAPPORT REJETÉ`,
    ]);
  });

  it('D4: that an agent posts is announced before it has its answer', async () => {
    const made = await scans.world.http('POST', `/api/v1/tenants/${scans.cast.tenant_id}/api-keys`, {
      token: scans.cast.operator.token,
      body: { name: agent.id, scopes: ['reports:write'], agent_id: agent.id },
    });
    const { key } = made.body as { key: string };
    const post = (city: unknown) =>
      scans.world.http('POST', '/api/v1/backups/reports', {
        headers: { 'x-api-key': key },
        body: agent.report(REPORTED, { compta: { status: 'failed' } }, { city }),
      });
    expect(await post('')).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(await titles()).toEqual([`ALERTE SAUVEGARDE - ${agent.id} - RAPPORT REJETÉ`]);
    const rejected = await scans.world.http('GET', '/api/v1/backups/reports?state=rejected', {
      token: scans.cast.admin.token,
    });
    expect(rejected.body).toMatchObject({ data: [{ source: 'api', file_name: null, agent_id: agent.id }] });
    expect((await post('Lyon')).status).toBe(201);
    await scans.run();
    expect(await alerts()).toMatchObject([{ gone: true }]);
    // The same fault again is announced; its retry is not.
    await post('');
    await post('');
    expect(await titles()).toHaveLength(2);
    expect(await alerts()).toMatchObject([{ gone: true }, { gone: false, occurrences: 1 }]);
  });
});

describe('D7: a silent agent', () => {
  const NAMES = ['compta', 'crm', 'ged', 'paie', 'stocks'];

  async function reportAll(at: string, names = NAMES) {
    const reported = Object.fromEntries(
      await Promise.all(
        names.map(
          async (name) =>
            [name, await agent.stage(`${name}-${at.slice(0, 10)}.bak`, `${name} ${at}`)] as const,
        ),
      ),
    );
    await agent.drop(`${at.slice(0, 10)}_STATUS.json`, agent.report(at, reported));
  }

  it('D7: raises one alert that lists its databases, with agent and city in the line', async () => {
    for (const name of NAMES) await scans.expectJob(name);
    expect(await scans.run()).toMatchObject({ missing: 5, alerts: 1 });
    const [told, ...more] = await notifications();
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      kind: 'backup_agent_silent',
      title: `ALERTE SAUVEGARDE - ${agent.id} (Lyon) - 5 MISSING`,
      data: { missing: 5, databases: NAMES.map((database_name) => ({ database_name })) },
    });
    const board = await scans.world.http('GET', '/api/v1/backups/status', { token: scans.cast.admin.token });
    for (const row of (board.body as { data: object[] }).data) {
      expect(row).toMatchObject({ verdict: 'MISSING', incidents: [{ verdict: 'MISSING', state: 'open' }] });
    }
    // A returning database leaves the others missing; the last one resolves the alert.
    await reportAll('2026-03-31T04:00:00Z', ['paie']);
    await scans.run();
    expect(await titles()).toHaveLength(1);
    await reportAll('2026-03-31T05:00:00Z', NAMES);
    expect(await scans.run()).toMatchObject({ recovered: 1 });
    expect(await titles()).toEqual([told!.title, `SAUVEGARDE RÉTABLIE - ${agent.id} (Lyon)`]);
    expect(await alerts()).toMatchObject([{ kind: 'backup_agent_silent', gone: true }]);
  });

  it('D7: with three missing databases raises three alerts', async () => {
    for (const name of NAMES.slice(0, 3)) await scans.expectJob(name);
    expect(await scans.run()).toMatchObject({ alerts: 3 });
    expect(await titles()).toEqual(NAMES.slice(0, 3).map((name) => `ALERTE SAUVEGARDE - ${name} - MISSING`));
  });

  it('D7: whose databases have staggered hours has its alert from the fourth on', async () => {
    const TIMES = ['22:00', '22:15', '22:30', '22:45', '23:00'];
    for (const [index, name] of NAMES.entries()) {
      await addJob(scans.world, scans.cast.tenant_id, {
        ...{ agent_id: agent.id, database_name: name, city: 'Lyon', grace_minutes: 120 },
        ...{ expected_time: TIMES[index]!, expected_after: '2026-03-30T10:00:00Z' },
      });
    }
    // Each scan finds one of them: 22:00 in Paris is 20:00 UTC, and its grace ends at 22:00 UTC.
    for (const [index] of NAMES.entries()) {
      scans.clock.set(new Date(Date.parse('2026-03-30T22:01:00Z') + index * 15 * 60_000));
      expect(await scans.run()).toMatchObject({ missing: 1 });
    }
    expect(await titles()).toEqual([
      ...NAMES.slice(0, 3).map((name) => `ALERTE SAUVEGARDE - ${name} - MISSING`),
      `ALERTE SAUVEGARDE - ${agent.id} (Lyon) - 4 MISSING`,
    ]);
    const silent = (await notifications()).at(-1)!;
    expect(silent).toMatchObject({
      data: { databases: NAMES.slice(0, 4).map((database_name) => ({ database_name })) },
    });
    await reportAll('2026-03-31T05:00:00Z');
    scans.clock.set('2026-03-31T06:00:00Z');
    await scans.run();
    expect((await alerts()).every(({ gone }) => gone)).toBe(true);
  });

  it('D4: whose report is rejected has no second alert for each of its databases', async () => {
    for (const name of NAMES.slice(0, 3)) await scans.expectJob(name);
    await agent.drop('STATUS.json', '');
    expect(await scans.run()).toMatchObject({ rejected: 1, missing: 3 });
    expect(await titles()).toEqual([`ALERTE SAUVEGARDE - ${agent.id} (Lyon) - RAPPORT REJETÉ`]);
  });

  it('D7: whose jobs are deleted has none', async () => {
    const jobs = await Promise.all(NAMES.map((name) => scans.expectJob(name)));
    await scans.run();
    for (const id of jobs) {
      const { status } = await scans.world.http('DELETE', `/api/v1/backups/jobs/${id}`, {
        token: scans.cast.admin.token,
      });
      expect(status).toBe(204);
    }
    expect(await alerts()).toMatchObject([{ kind: 'backup_agent_silent', gone: true }]);
  });

  it('D9: one of 12 agents with 200 databases, down for a week, sends one message a day', async () => {
    const agents: TestAgent[] = [];
    for (let number = 0; number < 12; number++) {
      agents.push(await new TestAgent(scans.folders, scans.cast.tenant.slug, `week-${number}`).make());
    }
    const databases = Array.from({ length: 200 }, (_, n) => ({ agent: agents[n % 12]!, name: `db${n}` }));
    for (const { agent: at, name } of databases) {
      await addJob(scans.world, scans.cast.tenant_id, {
        ...{ agent_id: at.id, database_name: name, city: 'Lyon' },
        ...{ expected_time: '22:00', expected_after: '2026-03-30T10:00:00Z' },
      });
    }
    const night = async (day: number, down: TestAgent | null) => {
      const at = new Date(Date.parse(REPORTED) + day * DAY_MS);
      for (const one of agents.filter((other) => other !== down)) {
        const reported: Record<string, object> = {};
        for (const { name } of databases.filter(({ agent: of }) => of === one)) {
          reported[name] = await one.stage(`${name}-${day}.bak`, `${name} of ${day}`);
        }
        await one.drop(`${day}_STATUS.json`, one.report(at.toISOString(), reported as never));
      }
      scans.clock.set(new Date(at.getTime() + DAY_MS / 3));
      await runJob(scans.world, scans.cast.tenant_id, 'scan-backups');
      await runJob(scans.world, scans.cast.tenant_id, 'check-backups');
    };
    for (let day = 0; day < 7; day++) await night(day, agents[3]!);
    expect(await titles()).toEqual(
      Array.from({ length: 7 }, () => 'ALERTE SAUVEGARDE - week-3 (Lyon) - 17 MISSING'),
    );
    await night(7, null);
    expect((await titles()).slice(7)).toEqual(['SAUVEGARDE RÉTABLIE - week-3 (Lyon)']);
  }, 120_000);
});
