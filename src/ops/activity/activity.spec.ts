import { addTenant, addPerson, type Cast, type Person, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { CHANNELS } from '../../contracts/channels.js';
import { DEAD_LETTERS, OUTCOMES, SERIES } from '../../delivery/admin/delivery-outcomes.js';
import { notify } from '../../notifications/alerts/notify.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const NOW = '2026-03-30T12:20:00.000Z';
const HOUR_MS = 3_600_000;

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({
    clock: new FixedClock(NOW),
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example', SCHEDULER_ENABLED: 'true' },
  });
  cast = await createCast(world);
});
afterAll(() => world.close());

const get = (path: string, token = cast.operator.token) =>
  world.http('GET', `/api/v1/admin/${path}`, { token });
const at = (hoursAgo: number) => new Date(Date.parse(NOW) - hoursAgo * HOUR_MS);

async function put(person: Person, state: string, hoursAgo: number, error: string | null = null) {
  const id = await notify(world, person);
  await world.sql(
    `UPDATE deliveries SET state = $2, ended_at = $3, error = $4, reason = $5,
            sent_at = CASE WHEN $2 = 'sent' THEN $3::timestamptz END WHERE notification_id = $1`,
    [id, state, at(hoursAgo), error, error === 'expired' ? 'expired' : null],
  );
}

describe('GET admin/activity', () => {
  it('has rates and a series without any work', async () => {
    const { status, body } = await get('activity');
    expect(status).toBe(200);
    const none = { sent: 0, failed: 0, unknown: 0, failure_rate: null };
    expect(body.deliveries).toEqual({ last_hour: none, last_day: none });
    const noRuns = { succeeded: 0, failed: 0, failure_rate: null };
    expect(body.runs).toEqual({ last_hour: noRuns, last_day: noRuns });
    expect(body).toMatchObject({ at: NOW, from: '2026-03-29T12:00:00.000Z', step_seconds: 3_600 });
    expect(body.series.map(({ channel }: { channel: string }) => channel)).toEqual([
      'email',
      'sms',
      'push',
      'webhook',
    ]);
    for (const { sent } of body.series as { sent: number[] }[]) expect(sent).toEqual(Array(25).fill(0));
  });

  it('counts the outcomes of all tenants by the hour and by 6 hours', async () => {
    for (const hours of [0.1, 0.5, 2, 23, 100]) await put(cast.teammate, 'sent', hours);
    await put(cast.outsider, 'sent', 0.1);
    await put(cast.outsider, 'failed', 0.2, '550 5.1.1 <a@b.example>: no such user 4b12e9fd7712');
    await put(cast.teammate, 'failed', 3, '550 5.1.1 <c@d.example>: no such user 99f1e9fd0001');
    await put(cast.teammate, 'failed', 4, 'expired');
    await put(cast.teammate, 'unknown', 5);
    await put(cast.teammate, 'suppressed', 1);
    const { body } = await get('activity');
    expect(body.deliveries.last_hour).toEqual({ sent: 3, failed: 1, unknown: 0, failure_rate: 0.25 });
    expect(body.deliveries.last_day).toEqual({ sent: 5, failed: 3, unknown: 1, failure_rate: 4 / 9 });
    const [email] = body.series as { sent: number[]; failed: number[]; unknown: number[] }[];
    // 12:14 and twice 12:14 belong to the running hour, 11:50 to the one before.
    expect([email!.sent.at(-1), email!.sent.at(-2), email!.sent.at(-3)]).toEqual([2, 1, 1]);
    expect(email!.sent.reduce((sum, n) => sum + n)).toBe(5);
    expect([email!.failed.at(-1), email!.failed.at(-4), email!.unknown.at(-6)]).toEqual([1, 1, 1]);

    const week = (await get('activity?hours=168')).body;
    expect(week).toMatchObject({ from: '2026-03-23T12:00:00.000Z', step_seconds: 21_600 });
    expect(week.series[0].sent).toHaveLength(29);
    expect(week.series[0].sent.reduce((sum: number, n: number) => sum + n)).toBe(6);
    expect(week.deliveries).toEqual(body.deliveries);
    expect((await get('activity?hours=25')).status).toBe(400);
  });

  it('counts the runs of all tenants', async () => {
    for (const [job, state, hours] of [
      ['cleanup', 'succeeded', 0.2],
      ['cleanup', 'failed', 0.4],
      ['check-backups', 'succeeded', 5],
      ['check-backups', 'failed', 30],
    ])
      await world.sql(
        `INSERT INTO job_runs (tenant_id, job, state, due_at, created_at, finished_at, triggered_by)
         VALUES ($1, $2, $3, $4, $4, $4, 'test')`,
        [cast.tenant_id, job, state, at(Number(hours))],
      );
    const { runs } = (await get('activity')).body;
    expect(runs.last_hour).toEqual({ succeeded: 1, failed: 1, failure_rate: 0.5 });
    expect(runs.last_day).toEqual({ succeeded: 2, failed: 1, failure_rate: 1 / 3 });
    await world.sql('DELETE FROM job_runs');
  });

  it('is for operators only', async () => {
    for (const path of ['activity', 'timeline', 'tenants'])
      expect([path, (await get(path, cast.admin.token)).status]).toEqual([path, 403]);
  });
});

describe('GET admin/dead-letters', () => {
  it('groups failures by their cause, without addresses and ids', async () => {
    const { body } = await get('dead-letters');
    expect(body).toEqual({
      since: at(7 * 24).toISOString(),
      data: [
        {
          channel: 'email',
          reason: null,
          cause: '550 5.1.1 … no such user …',
          count: 2,
          tenants: 2,
          last_at: at(0.2).toISOString(),
        },
        {
          channel: 'email',
          reason: 'expired',
          cause: 'expired',
          count: 1,
          tenants: 1,
          last_at: at(4).toISOString(),
        },
      ],
    });
    expect((await get('dead-letters?days=1')).body.data).toHaveLength(2);
    expect((await get('dead-letters?days=31')).status).toBe(400);
  });

  it('reads no delivery but the failed ones and those of the period, through an index', async () => {
    await world.sql('ANALYZE deliveries');
    const plan = async (sql: string, values: unknown[]) => {
      await world.sql('SET enable_seqscan = off');
      const rows = await world.sql(`EXPLAIN ${sql}`, values);
      await world.sql('RESET enable_seqscan');
      return JSON.stringify(rows);
    };
    expect(await plan(SERIES, [CHANNELS, OUTCOMES, at(24), 3_600, at(1), at(24)])).toContain(
      'deliveries_ended',
    );
    expect(await plan(DEAD_LETTERS, [CHANNELS, at(24)])).toContain('deliveries_failed');
  });
});

describe('GET admin/tenants', () => {
  it('finds tenants by name and slug, with counts', async () => {
    const hostile = await addTenant(world, { slug: 'odd', name: '100% <b>Müller</b>' });
    await addPerson(world, hostile.id, { name: 'Eve' });
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [hostile.id]);
    const names = async (query: string) =>
      ((await get(`tenants?${query}`)).body.data as { slug: string }[]).map(({ slug }) => slug);
    const { body } = await get('tenants?count=true&sort=name');
    expect(body.count).toBe(3);
    expect(body.data[2]).toMatchObject({ slug: 'cabinet-martin', users: 2, sent_24h: 4, failed_24h: 2 });
    expect(body.data[2].pending).toBe(0);
    expect(await names('q=MULLER')).toEqual(['odd']);
    expect(await names('q=100%25')).toEqual(['odd']);
    expect(await names('q=%25')).toEqual(['odd']);
    expect(await names('q=durand')).toEqual(['cabinet-durand']);
    expect(await names('state=suspended')).toEqual(['odd']);
    expect(await names('state=active&sort=-name')).toEqual(['cabinet-martin', 'cabinet-durand']);
    const first = (await get('tenants?limit=2&count=true')).body;
    expect(first).toMatchObject({ count: 3, data: [{ slug: 'odd' }, { slug: 'cabinet-durand' }] });
    expect(await names(`limit=2&cursor=${first.next_cursor}`)).toEqual(['cabinet-martin']);
  });
});
