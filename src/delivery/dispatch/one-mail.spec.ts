import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { addJob, NO_SLOTS } from '../../backups/board/records.fixture.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';

const DAY_MS = 24 * 3_600_000;

/** M3, V14: the dispatcher runs beside the checks, and each commit wakes it. */
describe('the findings of one run are one mail per person', () => {
  let world: World;
  let smtp: MailCatcher;
  let tenant: { id: string; slug: string };
  let admin: Person;
  let before: number;

  beforeAll(async () => {
    smtp = await startMailCatcher();
    world = await createWorld({
      env: {
        VIGIE_ROLES: 'web,worker,scheduler',
        ...mailEnvironment(smtp),
      },
    });
  });
  afterAll(async () => {
    await world.close();
    await smtp.close();
  });
  beforeEach(async () => {
    tenant = await addTenant(world, { schedule_from: NO_SLOTS });
    admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    before = smtp.count;
  });

  const items = (table: string, count: number, daysAhead: number, who: string | null) =>
    world.sql(
      `INSERT INTO ${table} (tenant_id, title, due_on, responsible_id)
       SELECT $1, '${table} ' || i, (now() AT TIME ZONE 'Europe/Paris')::date + $2::integer, $3
       FROM generate_series(1, $4::integer) i`,
      [tenant.id, daysAhead, who, count],
    );
  const run = async (job: string) => {
    const { status, body } = await world.http('POST', `/api/v1/admin/scheduler/${job}/trigger?wait=true`, {
      token: admin.token,
    });
    expect({ status, state: (body as { state?: string }).state }).toEqual({
      status: 200,
      state: 'succeeded',
    });
  };
  /** Waits until nothing is pending. @returns the recipient and the items of each mail since the test began */
  const mails = async (item: RegExp) => {
    await until('all to be sent', async () => {
      const open = await world.sql(
        `SELECT FROM deliveries WHERE tenant_id = $1 AND state IN ('pending', 'queued', 'sending')`,
        [tenant.id],
      );
      return open.length === 0;
    });
    return smtp.mails
      .slice(smtp.mails.length - (smtp.count - before))
      .map(({ to, text }) => ({ to, items: new Set(text.match(item)).size }))
      .sort((one, other) => one.items - other.items);
  };

  it('a heavy day: 40 deadlines, 12 documents and 9 tasks, and a colleague’s', async () => {
    const bob = await addPerson(world, tenant.id, { name: 'Bob', role: 'member' });
    await items('deadlines', 40, 7, admin.id);
    await items('document_requests', 12, 0, admin.id);
    await items('tasks', 9, -1, null);
    await items('deadlines', 2, 7, bob.id);
    await items('tasks', 1, -1, bob.id);
    await run('check-notifications');
    const every = /(deadlines|document_requests|tasks) \d+/g;
    expect(await mails(every)).toEqual([
      { to: [bob.email], items: 3 },
      { to: [admin.email], items: 61 },
    ]);
  });

  it('a failing agent with 200 databases', async () => {
    const yesterday = new Date(Date.now() - DAY_MS);
    for (let at = 0; at < 200; at += 1) {
      await addJob(world, tenant.id, {
        database_name: `base_${String(at).padStart(3, '0')}`,
        expected_time: '00:00',
        grace_minutes: 1,
        expected_after: new Date(yesterday.getTime() - DAY_MS),
      });
    }
    await run('check-backups');
    expect(await mails(/base_\d{3}/g)).toEqual([{ to: [admin.email], items: 200 }]);
  });
});
