import { addPerson, type Cast, createCast, type Person } from '../../test/support/cast.js';
import { runJob } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

/** Monday 30 March 2026, 08:00 in Paris. */
const MONDAY = '2026-03-30T06:00:00Z';

const clock = new FixedClock(MONDAY);
let world: World;
let cast: Cast;
let marie: Person;

beforeAll(async () => {
  world = await createWorld({ clock });
  cast = await createCast(world);
  marie = await addPerson(world, cast.tenant_id, { name: 'Marie' });
}, 60_000);
afterAll(() => world.close());

async function add(table: string, title: string, daysLeft: number, responsible: string | null = null) {
  await world.sql(
    `INSERT INTO ${table} (tenant_id, title, due_on, responsible_id) VALUES ($1, $2, date '2026-03-30' + $3::int, $4)`,
    [cast.tenant_id, title, daysLeft, responsible],
  );
}

async function job(database: string, status: string, lastGood: string | null, warnings = '{}') {
  await world.sql(
    `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
       grace_minutes, status, status_since, last_success_at, warnings, expected_after, created_at, updated_at)
     VALUES ($1, 'agent-1', $2, 'Fonderies', 'Lyon', '23:00', '{1,2,3,4,5,6,7}', 60, $3, $4, $4, $5, $6, $6, $6)`,
    [cast.tenant_id, database, status, lastGood, warnings, MONDAY],
  );
}

const overview = async (token: string) => {
  const { status, body } = await world.http('GET', '/api/v1/overview', { token });
  expect(status).toBe(200);
  return body;
};
const titles = ({ lines }: { lines: { title: string }[] }) => lines.map(({ title }) => title);

it('V20: an empty office shows zeros, not nothing', async () => {
  expect(await overview(cast.outsider.token)).toMatchObject({
    today: '2026-03-30',
    until: '2026-04-06',
    late: { total: 0, lines: [] },
    documents: { total: 0, late: 0, lines: [] },
    backups: { jobs: 0, not_good: 0, problems: [], checked_at: null },
    messages: { sent: 0, not_sent: [] },
    runs: [],
  });
});

it('V20: counts late, today, the next seven days and documents; members get their own', async () => {
  await add('deadlines', 'late twice', -9, marie.id);
  await add('deadlines', 'late', -1);
  await add('tasks', 'today', 0, marie.id);
  await add('deadlines', 'in seven days', 7);
  await add('deadlines', 'in eight days', 8);
  await add('document_requests', 'statement', 20, marie.id);
  await add('document_requests', 'invoice', -2);
  await add('tasks', 'done', -1);
  await world.sql(`UPDATE tasks SET status = 'done', completed_at = now() WHERE title = 'done'`);

  const all = await overview(cast.admin.token);
  expect(all.scope).toBe('all');
  expect(titles(all.late)).toEqual(['late twice', 'invoice', 'late']);
  expect(all.late).toMatchObject({ total: 3, deadline: 2, document: 1, task: 0 });
  expect(all.late.lines[0]).toMatchObject({
    type: 'deadline',
    due_on: '2026-03-21',
    responsible_name: 'Marie',
  });
  expect([titles(all.due_today), titles(all.week)]).toEqual([['today'], ['in seven days']]);
  expect([all.documents.total, all.documents.late, titles(all.documents)]).toEqual([
    2,
    1,
    ['invoice', 'statement'],
  ]);

  const own = await overview(marie.token);
  expect(own.scope).toBe('own');
  expect([titles(own.late), titles(own.due_today), titles(own.week), titles(own.documents)]).toEqual([
    ['late twice'],
    ['today'],
    [],
    ['statement'],
  ]);
});

it('V20: backups that are not good come worst first, and a doubtful one is not good', async () => {
  await job('good', 'SUCCESS', '2026-03-29T22:00:00Z');
  await job('doubtful', 'SUCCESS', '2026-03-20T22:00:00Z', '{shrunk}');
  await job('missing', 'MISSING', '2026-03-10T22:00:00Z');
  await job('never', 'FAILED', null);
  await job('new', 'unknown', null);
  const { backups } = await overview(marie.token);
  expect(backups).toMatchObject({ jobs: 5, good: 1, not_good: 3, unknown: 1 });
  expect(
    backups.problems.map((one: Record<string, unknown>) => [one.database_name, one.verdict, one.doubtful]),
  ).toEqual([
    ['never', 'FAILED', false],
    ['missing', 'MISSING', false],
    ['doubtful', 'SUCCESS', true],
  ]);
  expect(backups.problems[1].last_success_at).toBe('2026-03-10T22:00:00.000Z');
});

it('V20: says what the last check found, what was not sent and why', async () => {
  await runJob(world, cast.tenant_id, 'check-notifications', '2026-03-30T08:00');
  await world.sql(
    `UPDATE deliveries SET state = 'suppressed', reason = 'preference', ended_at = $2
     WHERE tenant_id = $1 AND notification_id IN (SELECT id FROM notifications WHERE user_id = $3)`,
    [cast.tenant_id, MONDAY, marie.id],
  );
  const { runs, messages } = await overview(marie.token);
  expect(runs[0]).toMatchObject({ job: 'check-notifications', state: 'succeeded' });
  expect(runs[0].counts.facts).toBeGreaterThan(0);
  expect(messages).toMatchObject({ sent: 0, not_sent: [{ state: 'suppressed', reason: 'preference' }] });
  expect((await overview(cast.outsider.token)).runs).toEqual([]);
});

it('V20: lists at most 8 of a section, and counts all', async () => {
  await world.sql(
    `INSERT INTO tasks (tenant_id, title, due_on) SELECT $1, 'more', date '2026-03-30' FROM generate_series(1, 50)`,
    [cast.tenant_id],
  );
  const { due_today } = await overview(cast.admin.token);
  expect([due_today.lines.length, due_today.total, due_today.task]).toEqual([8, 51, 51]);
});
