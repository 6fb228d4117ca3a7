import type { NotificationData } from '../contracts/kinds.js';
import { addTenant } from '../../test/support/cast.js';
import { runJob } from '../../test/support/watched.js';
import { wordedNotifications } from '../../test/support/worded.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

/** Monday 30 March 2026, 08:00 in Paris. */
const MONDAY = '2026-03-30T06:00:00Z';

interface Row {
  user_id: string;
  severity: string;
  audience: string;
  data: NotificationData['weekly_summary'];
}

describe('the weekly summary', () => {
  const clock = new FixedClock(MONDAY);
  let world: World;
  let tenantId: string;
  let admin: string;
  let marie: string;

  beforeAll(async () => {
    world = await createWorld({ clock });
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    clock.set(MONDAY);
    await world.sql(`DELETE FROM tenants`);
    tenantId = (await addTenant(world)).id;
    admin = await addUser('admin@cabinet.test', 'admin', 'fr');
    marie = await addUser('marie@cabinet.test', 'member', 'en');
  });

  async function addUser(email: string, role: string, locale: string, tenant = tenantId): Promise<string> {
    const [user] = await world.sql<{ id: string }>(
      `INSERT INTO users (tenant_id, email, name, role, locale) VALUES ($1, $2, $2, $3, $4) RETURNING id`,
      [tenant, email, role, locale],
    );
    return user!.id;
  }

  async function add(
    table: string,
    title: string,
    daysLeft: number,
    responsible: string | null,
    tenant = tenantId,
  ) {
    await world.sql(
      `INSERT INTO ${table} (tenant_id, title, due_on, responsible_id)
       VALUES ($1, $2, date '2026-03-30' + $3::int, $4)`,
      [tenant, title, daysLeft, responsible],
    );
  }

  const summaries = () =>
    world.sql<Row>(
      `SELECT user_id, severity, audience, data FROM notifications WHERE kind = 'weekly_summary'
       ORDER BY created_at, user_id = $1 DESC`,
      [marie],
    );

  const linesOf = (groups: Row['data']['late'] | undefined) =>
    (groups ?? []).flatMap(({ lines }) => lines.map(({ title }) => title));

  it('M11: lists late items and those due within seven days, by client and date, in the reader’s words', async () => {
    await add('deadlines', 'in seven days', 7, marie);
    await add('deadlines', 'late', -3, marie);
    await add('deadlines', 'in eight days', 8, marie);
    await add('document_requests', 'statement', 0, marie);
    await add('tasks', 'entry', 2, marie);
    await add('tasks', 'old entry', -1, marie);
    await world.sql(`UPDATE tasks SET client_name = 'Garage Leroy' WHERE title = 'entry'`);
    await world.sql(`UPDATE tasks SET status = 'overdue' WHERE title = 'old entry'`);
    await add('tasks', 'done', -1, marie);
    await world.sql(`UPDATE tasks SET status = 'done', completed_at = now() WHERE title = 'done'`);

    expect(await runJob(world, tenantId, 'weekly-summary', '2026-03-30T08:00')).toMatchObject({
      users: 1,
      notifications: 1,
    });
    const [late] = await world.sql<{ id: string }>(`SELECT id FROM deadlines WHERE title = 'late'`);
    expect(await summaries()).toMatchObject([
      {
        user_id: marie,
        severity: 'info',
        audience: 'self',
        data: {
          period: { from: '2026-03-30', to: '2026-04-06' },
          late: [
            {
              client_name: null,
              lines: [
                {
                  id: late?.id,
                  list: 'deadlines',
                  title: 'late',
                  due_on: '2026-03-27',
                  audience: 'responsible',
                },
                { list: 'tasks', title: 'old entry', due_on: '2026-03-29', audience: 'responsible' },
              ],
            },
          ],
          upcoming: [
            {
              client_name: null,
              lines: [
                { list: 'documents', title: 'statement', due_on: '2026-03-30', audience: 'responsible' },
                { list: 'deadlines', title: 'in seven days', due_on: '2026-04-06', audience: 'responsible' },
              ],
            },
            {
              client_name: 'Garage Leroy',
              lines: [{ list: 'tasks', title: 'entry', due_on: '2026-04-01', audience: 'responsible' }],
            },
          ],
          totals: { deadlines: 2, documents: 1, tasks: 2, late: 2, upcoming: 3 },
        },
      },
    ]);
    const [{ title } = { title: '' }] = await wordedNotifications(world, tenantId);
    expect(title).toBe('2 overdue - Week of 30 March – 6 April: 2 deadlines, 1 document, 2 tasks');
  });

  it('also lists items without a responsible user for admins, but not for members', async () => {
    await add('deadlines', 'nobody', 1, null);
    await add('deadlines', 'of the admin', 2, admin);
    await add('deadlines', 'of Marie', 3, marie);
    await runJob(world, tenantId, 'weekly-summary');
    const [hers, his] = await summaries();
    expect(linesOf(hers?.data.upcoming)).toEqual(['of Marie']);
    expect(his).toMatchObject({ user_id: admin });
    expect(linesOf(his?.data.upcoming)).toEqual(['nobody', 'of the admin']);
  });

  it('truncates each half to 30 lines and shows the total', async () => {
    for (let n = 0; n < 33; n++) await add('tasks', `task ${n}`, n - 40, marie);
    await runJob(world, tenantId, 'weekly-summary');
    const [summary] = await summaries();
    expect(summary?.data.totals).toEqual({ deadlines: 0, documents: 0, tasks: 33, late: 33, upcoming: 0 });
    expect(linesOf(summary?.data.late)).toEqual(Array.from({ length: 30 }, (_, n) => `task ${n}`));
  });

  it('is not sent when empty, and lists nothing of another tenant', async () => {
    await add('deadlines', 'far away', 30, marie);
    const other = (await addTenant(world)).id;
    await addUser('admin@voisin.test', 'admin', 'fr', other);
    await add('deadlines', 'theirs', 1, null, other);
    expect(await runJob(world, tenantId, 'weekly-summary')).toMatchObject({ users: 0, notifications: 0 });
    expect(await summaries()).toEqual([]);
  });

  it('is sent once a week, even if the job runs again', async () => {
    await add('deadlines', 'soon', 1, marie);
    await runJob(world, tenantId, 'weekly-summary', '2026-03-30T08:00');
    await add('deadlines', 'one more', 1, marie);
    clock.set('2026-04-03T10:00:00Z');
    expect(await runJob(world, tenantId, 'weekly-summary')).toEqual({
      users: 1,
      notifications: 0,
      deliveries: 0,
    });
    expect(await summaries()).toHaveLength(1);

    clock.set('2026-04-06T06:00:00Z');
    expect(await runJob(world, tenantId, 'weekly-summary', '2026-04-06T08:00')).toMatchObject({
      notifications: 1,
    });
    expect((await summaries()).map(({ data }) => data.period.from)).toEqual(['2026-03-30', '2026-04-06']);
  });

  it('T3, T5: lists and names the period of the Monday it was owed for, when it is caught up later', async () => {
    await add('deadlines', 'late by now', 1, marie);
    clock.set('2026-04-01T10:00:00Z');
    await runJob(world, tenantId, 'weekly-summary', '2026-03-30T08:00');
    const [summary] = await summaries();
    expect(summary?.data.period).toEqual({ from: '2026-03-30', to: '2026-04-06' });
    expect(linesOf(summary?.data.upcoming)).toEqual(['late by now']);
    const [{ title } = { title: '' }] = await wordedNotifications(world, tenantId);
    // M1: its words are as of the day they are read.
    expect(title).toBe('1 overdue - Week of 30 March – 6 April: 1 deadline');
  });
});
