import { insertBacklog } from '../../../test/support/backlog.js';
import { createWorld, environmentOf, type World } from '../../../test/support/world.js';
import { CHECKS } from './checks.js';
import { describeDiagnosis, diagnose } from './doctor.js';
import { check, finding, NOWHERE } from './doctor.fixture.js';

let world: World;
let environment: Record<string, string>;

beforeAll(async () => {
  world = await createWorld();
  environment = environmentOf(world);
});
afterAll(() => world.close());

describe('the work of an installation', () => {
  it('E13: a silent scheduler', async () => {
    expect(await check('scheduler', environment)).toEqual([
      finding('fault', /no scheduler has ever run/, /role scheduler/),
    ]);
    await world.sql(`INSERT INTO scheduler_polls (polled_at) VALUES (now())`);
    expect(await check('scheduler', environment)).toEqual([finding('ok', /looked for due jobs \d s ago/)]);
    await world.sql(`UPDATE scheduler_polls SET polled_at = now() - interval '1 hour'`);
    expect(await check('scheduler', environment)).toEqual([
      finding('fault', /silent since 2/, /role scheduler/),
    ]);
    await world.sql(`UPDATE scheduler_polls SET polled_at = now()`);
  });

  it('E13: a delivery that waits too long, a channel that is down or paused, dead letters, failed runs', async () => {
    expect(await check('deliveries', environment)).toEqual([finding('ok', /no channel is down/)]);
    expect(await check('failures', environment)).toEqual([finding('ok', /failed for good/)]);
    const sql = {
      query: async (text: string, values?: unknown[]) => ({ rows: (await world.sql(text, values)) as never }),
    };
    const [id] = await insertBacklog(sql, { tenants: 1, deliveries: 3, prefix: 'doctor' });
    await world.sql(`UPDATE deliveries SET due_at = now() - interval '20 minutes'`);
    expect(await check('deliveries', environment)).toEqual([
      finding('fault', /channel email waits since 20 min/, /role worker/),
    ]);
    await world.sql(
      `UPDATE channels SET down_since = now(), down_cause = 'login', down_detail = 'SMTP login refused (535)',
         next_probe_at = now() WHERE channel = 'email'`,
    );
    expect(await check('deliveries', environment)).toEqual([
      finding('fault', /email is down since .*\(login\): SMTP login refused \(535\)/, /Correct the login/),
    ]);
    await world.sql(`UPDATE channels SET down_since = NULL, down_cause = NULL, next_probe_at = NULL, paused = true
                     WHERE channel = 'email'`);
    expect(await check('deliveries', environment)).toEqual([finding('note', /email is paused/)]);
    await world.sql(`UPDATE channels SET paused = false`);
    await world.sql(
      `UPDATE deliveries SET state = 'failed', ended_at = now(), error = '550 5.1.1 No such user'`,
    );
    await world.sql(
      `INSERT INTO job_runs (tenant_id, job, state, due_at, created_at, finished_at)
       VALUES ($1, 'cleanup', 'failed', now(), now(), now())`,
      [id],
    );
    expect(await check('failures', environment)).toEqual([
      finding(
        'warning',
        /3 messages failed for good in 24 h \(email: 550 5\.1\.1 No such user \(3\)\)/,
        /dead-letters/,
      ),
      finding('warning', /1 runs of cleanup failed/, /vigie run cleanup/),
    ]);
    await world.sql(`DELETE FROM tenants`);
  });
});

describe('the report', () => {
  it('E13: a healthy installation has no fault, and the JSON has every check', async () => {
    const diagnosis = await diagnose(environment);
    expect(diagnosis.checks.filter(({ state }) => state === 'fault')).toEqual([]);
    expect(diagnosis.ok).toBe(true);
    expect([...new Set(diagnosis.checks.map(({ id }) => id))]).toEqual(CHECKS.map(({ id }) => id));
    for (const { state, remedy } of diagnosis.checks)
      expect(remedy === null).toBe(state === 'ok' || state === 'note');
    const { summary } = diagnosis;
    expect(Object.values(summary).reduce((sum, count) => sum + count)).toBe(diagnosis.checks.length);
    expect(JSON.stringify(diagnosis)).not.toContain(new URL(environment.DATABASE_URL!).password);
  });

  it('E13: with nothing reachable it still ends within seconds, and says what to do', async () => {
    const began = performance.now();
    const diagnosis = await diagnose({
      ...NOWHERE,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: '1',
      SMTP_FROM_EMAIL: 'a@firm.test',
    });
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(diagnosis.ok).toBe(false);
    const faulty = diagnosis.checks.filter(({ state }) => state === 'fault').map(({ id }) => id);
    expect(faulty).toEqual(['postgresql', 'redis', 'mail_server']);
    const text = describeDiagnosis(diagnosis);
    expect(text).toMatch(
      /^fault +redis +REDIS_URL at 127\.0\.0\.1:1: no program listens there.*\n +→ Start Redis/m,
    );
    expect(text).toMatch(/\n\d+ ok, \d+ notes, 0 warnings, 3 faults$/);
  });
});
