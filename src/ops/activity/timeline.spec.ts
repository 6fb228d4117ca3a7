import { addTenant, type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { SchedulerPoller } from '../../scheduler/scheduler.poller.js';

/** A Wednesday, 10:20 in Paris: checks are at 09:00 and 14:00. */
const NOW = '2026-03-04T09:20:00.000Z';
const clock = new FixedClock(NOW);

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ clock, env: { SCHEDULER_ENABLED: 'true' } });
  cast = await createCast(world);
  await world.sql(`UPDATE tenants SET updated_at = '2020-01-01'`);
});
beforeEach(async () => {
  clock.set(NOW);
  await world.sql('DELETE FROM job_runs');
});
afterAll(() => world.close());

interface StripBody {
  tenant: { slug: string; name: string; suspended: boolean };
  job: string;
  hours: string;
  counts: Record<string, number>;
  next_at: string | null;
}

const get = (query = '') =>
  world.http('GET', `/api/v1/admin/timeline${query}`, { token: cast.operator.token });
const strip = async (job: string, query = ''): Promise<StripBody> =>
  (await get(`?tenant=cabinet-martin&job=${job}${query}`)).body.data[0];

/** Writes the run of a slot. @param late how long after its slot it was written, in minutes */
async function ran(
  job: string,
  due: string,
  { state = 'succeeded', late = 0, slot = '' } = {},
): Promise<void> {
  await world.sql(
    `INSERT INTO job_runs (tenant_id, job, slot, time_zone, hours, state, due_at, created_at, finished_at)
     VALUES ($1, $2, $3, 'Europe/Paris', $7, $4, $5::timestamptz, $5::timestamptz + make_interval(mins => $6),
             CASE WHEN $4 IN ('succeeded', 'failed', 'cancelled') THEN $5::timestamptz END)`,
    [cast.tenant_id, job, slot, state, due, late, job === 'check-notifications' ? [540, 840] : null],
  );
}

it('shows by the hour what ran, was caught up, failed, was missed and is planned', async () => {
  // 09:00 and 14:00 in Paris are 08:00 and 13:00 UTC.
  await ran('check-notifications', '2026-03-02T13:00:00Z', { slot: '2026-03-02T14:00', late: 90 });
  await ran('check-notifications', '2026-03-03T08:00:00Z', { slot: '2026-03-03T09:00', state: 'failed' });
  await ran('check-notifications', '2026-03-04T08:00:00Z', { slot: '2026-03-04T09:00' });
  const { hours, counts, next_at } = await strip('check-notifications', '&hours=48');
  const { from, until, enabled } = (await get('?hours=48')).body;
  expect([from, until, enabled]).toEqual(['2026-03-02T10:00:00.000Z', '2026-03-05T10:00:00.000Z', true]);
  const shown = Array.from(hours).flatMap((letter, hour) => (letter === '.' ? [] : [[hour, letter]]));
  // Yesterday's 14:00 is no longer owed: today's 09:00 has run.
  expect(shown).toEqual([
    [3, 'c'],
    [22, 'f'],
    [27, 'm'],
    [46, 'r'],
    [51, 'p'],
    [70, 'p'],
  ]);
  expect(counts).toEqual({
    missed: 1,
    failed: 1,
    caught_up: 1,
    cancelled: 0,
    under_way: 0,
    ran: 1,
    planned: 2,
  });
  expect(next_at).toBe('2026-03-04T13:00:00.000Z');

  // Each number is the length of its list.
  const slots = async (mark: string) =>
    (await get(`/slots?tenant=cabinet-martin&job=check-notifications&hours=48${mark}`)).body.data as object[];
  for (const [mark, count] of Object.entries(counts))
    expect([mark, (await slots(`&mark=${mark}`)).length]).toEqual([mark, count]);
  expect(await slots('&mark=missed')).toMatchObject([{ at: '2026-03-03T13:00:00.000Z', run_id: null }]);
  expect(await slots('&mark=caught_up')).toMatchObject([
    { at: '2026-03-02T13:00:00.000Z', created_at: '2026-03-02T14:30:00.000Z', is_manual: false },
  ]);
  expect(await slots('')).toHaveLength(6);
});

it('refuses a timeline without a job, and of an unknown tenant', async () => {
  expect((await get('/slots?tenant=cabinet-martin')).status).toBe(400);
  expect((await get('/slots?tenant=nobody&job=cleanup')).status).toBe(404);
  expect((await get('/slots?tenant=cabinet-martin&job=cleanup&mark=lost')).status).toBe(400);
});

it('shows a slot that is due as planned, and not as missed', async () => {
  const { hours } = await strip('check-notifications');
  // The window begins yesterday at 10:00 UTC; 09:00 of today will run with the next poll.
  expect([hours[3], hours[22]]).toEqual(['m', 'p']);
});

it('knows the same slots as the scheduler: after a poll nothing is due any more', async () => {
  await world.app.get(SchedulerPoller).poll();
  const before = (await strip('check-notifications')).hours;
  expect([before[22], before.indexOf('p')]).toEqual(['u', 27]);
}, 20_000);

it('shows intervals by their worst slot, and a changed interval only where nothing ran', async () => {
  for (const minute of ['00', '15', '30', '45'])
    await ran('scan-backups', `2026-03-04T06:${minute}:00Z`, { slot: `2026-03-04T06:${minute}Z` });
  await ran('scan-backups', '2026-03-04T07:00:00Z', { slot: '2026-03-04T07:00Z' });
  const { hours, counts } = await strip('scan-backups', '&hours=6');
  // 04:00 to 09:20: the hours without a run, and 07:15 to 07:45, were missed; 09:15 is due, and 14 come until 13:00.
  expect(hours.slice(0, 6)).toBe('mmrmmm');
  expect(counts).toMatchObject({ ran: 5, missed: 4 + 4 + 3 + 4 + 1, planned: 1 + 14 });
  await world.sql(`UPDATE tenants SET updated_at = $1 WHERE id = $2`, [NOW, cast.tenant_id]);
  expect((await strip('scan-backups', '&hours=6')).hours.slice(0, 6)).toBe('mmrrmm');
  await world.sql(`UPDATE tenants SET updated_at = '2020-01-01'`);
});

it('plans and misses nothing for a suspended tenant, nor before its schedule began', async () => {
  const late = await addTenant(world, { slug: 'late', schedule_from: '2026-03-04T08:30:00Z' });
  const data = (await get('?tenant=late')).body.data as StripBody[];
  const missed = data.filter(({ counts }) => counts.missed !== 0);
  // 08:30 to 09:00, every 15 minutes.
  expect(missed.map(({ job, counts }) => [job, counts.missed])).toEqual([['scan-backups', 3]]);
  expect(data.some(({ counts }) => Number(counts.planned) > 0)).toBe(true);
  await world.sql('UPDATE tenants SET suspended_at = $1 WHERE id = $2', [NOW, late.id]);
  const suspended = (await get('?tenant=late')).body.data as StripBody[];
  expect(suspended.every(({ hours, tenant }) => /^\.+$/.test(hours) && tenant.suspended)).toBe(true);
});

it('pages by tenant, newest first', async () => {
  const first = (await get('?limit=1&job=cleanup')).body;
  expect(first.data.map(({ tenant, job }: StripBody) => [tenant.slug, job])).toEqual([['late', 'cleanup']]);
  const second = (await get(`?limit=5&job=cleanup&cursor=${first.next_cursor}`)).body;
  expect(second.data.map(({ tenant }: StripBody) => tenant.slug)).toEqual([
    'cabinet-durand',
    'cabinet-martin',
  ]);
  expect(second.next_cursor).toBeNull();
  expect((await get('?tenant=nobody')).status).toBe(404);
  expect((await get('?cursor=x')).status).toBe(400);
});
