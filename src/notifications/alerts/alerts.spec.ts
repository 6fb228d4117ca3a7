import { addPerson, addTenant, type Cast, createCast } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { wordedNotifications } from '../../../test/support/worded.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { Alerts } from './alerts.service.js';
import { WatchedKinds } from './watched.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00Z';
const DAY = 24 * 3_600_000;

/** C1, C2, C3, V2, V3: a fact opens an alert once, is announced once at each stage, and ends with its cause. */
describe('alerts', () => {
  const clock = new FixedClock(MORNING);
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld({
      clock,
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
    });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    clock.set(new Date(MORNING));
    for (const table of ['deadlines', 'document_requests', 'tasks', 'notifications', 'alerts', 'inboxes']) {
      await world.sql(`DELETE FROM ${table}`);
    }
  });

  const check = (tenantId = cast.tenant_id) => runJob(world, tenantId, 'check-notifications');
  const deadline = async (dueOn: string, responsible: string | null = cast.teammate.id) => {
    const [row] = await world.sql<{ id: string }>(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', $2, $3) RETURNING id`,
      [cast.tenant_id, dueOn, responsible],
    );
    return row!.id;
  };
  const notified = async () =>
    (await wordedNotifications(world)).map(({ recipient, title }) => ({ recipient, title }));
  const alerts = () =>
    world.sql('SELECT state, occurrences, stage, gone_at IS NOT NULL AS gone FROM alerts ORDER BY id');

  it('announce a fact once, however often it is checked, and count it', async () => {
    await deadline('2026-04-04');
    expect(await check()).toMatchObject({
      facts: 1,
      opened: 1,
      repeated: 0,
      notifications: 1,
      deliveries: 1,
    });
    clock.advance(5 * 3_600_000);
    expect(await check()).toMatchObject({
      facts: 1,
      opened: 0,
      repeated: 1,
      notifications: 0,
      deliveries: 0,
    });
    expect(await alerts()).toEqual([{ state: 'open', occurrences: 2, stage: 7, gone: false }]);
    expect(await notified()).toEqual([
      { recipient: `user:${cast.teammate.id}`, title: 'TVA CA3, échéance dans 5 jours' },
    ]);
  });

  it('notify again at each later stage, and skip missed stages', async () => {
    await deadline('2026-04-04');
    const daily: number[] = [];
    for (let day = 0; day < 8; day += 1) {
      daily.push((await check()).notifications ?? 0);
      clock.advance(DAY);
    }
    // Days left 5 (stage 7), 4, 3 (3), 2, 1 (1), 0 (0), -1 (overdue), -2.
    expect(daily).toEqual([1, 0, 1, 0, 1, 1, 1, 0]);
    expect((await alerts()).length).toBe(1);

    await deadline('2026-04-10');
    clock.advance(2 * DAY);
    // There was no check at 7 and 3 days: only the nearest stage is announced.
    expect(await check()).toMatchObject({ opened: 1, staged: 0, notifications: 1 });
  });

  it('notify the admins if nobody is responsible, each in their own language', async () => {
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [cast.admin.id]);
    await deadline('2026-03-31', null);
    await check();
    expect(await notified()).toEqual([
      { recipient: `user:${cast.admin.id}`, title: 'TVA CA3, due tomorrow' },
    ]);
  });

  it('end with their fact, suppress waiting deliveries, and open again when the fact returns', async () => {
    const id = await deadline('2026-04-01');
    await check();
    await world.http('POST', `/api/v1/deadlines/${id}/complete`, { token: cast.admin.token });
    expect(await alerts()).toEqual([{ state: 'resolved', occurrences: 1, stage: 3, gone: true }]);
    expect(await world.sql('SELECT state, reason FROM deliveries')).toEqual([
      { state: 'suppressed', reason: 'fact_gone' },
    ]);
    await world.http('POST', `/api/v1/deadlines/${id}/reopen`, { token: cast.admin.token });
    expect(await check()).toMatchObject({ opened: 1, notifications: 1 });
    expect((await alerts()).length).toBe(2);
  });

  it('end at the next check if the fact ended in another way', async () => {
    const id = await deadline('2026-04-01');
    await check();
    await world.sql('DELETE FROM deadlines WHERE id = $1', [id]);
    expect(await check()).toMatchObject({ facts: 0, gone: 1 });
    expect(await world.sql('SELECT state FROM deliveries')).toEqual([{ state: 'suppressed' }]);
  });

  it('once resolved, stay silent until the fact clears, even at later stages', async () => {
    const id = await deadline('2026-04-04');
    await check();
    const [alert] = await world.sql<{ id: string }>('SELECT id FROM alerts');
    const answer = await world.http('POST', `/api/v1/alerts/${alert!.id}/resolve`, {
      token: cast.admin.token,
    });
    expect(answer.status).toBe(200);
    clock.advance(4 * DAY);
    expect(await check()).toMatchObject({ notifications: 0, repeated: 1 });

    // Four days later the others' tokens have expired.
    const { token } = await addPerson(world, cast.tenant_id, { name: 'Later' });
    await world.http('PATCH', `/api/v1/deadlines/${id}`, {
      token,
      body: { due_on: '2026-04-05' },
    });
    expect(await check()).toMatchObject({ opened: 1, notifications: 1 });
  });

  it('end if their fact ends during a check', async () => {
    const id = await deadline('2026-04-01');
    const database = world.app.get(Database);
    const complete = () =>
      world.http('POST', `/api/v1/deadlines/${id}/complete`, { token: cast.admin.token });
    let completed: ReturnType<typeof complete> | undefined;
    await database.tenant(cast.tenant_id, async (tx) => {
      const [watched] = world.app
        .get(WatchedKinds, { strict: false })
        .all()
        .filter(({ source_type }) => source_type === 'deadline');
      await world.app
        .get(Alerts, { strict: false })
        .check(tx, '2026-03-30', [{ watched: watched!, stages: [7, 3, 1, 0, -1] }]);
      completed = complete();
      await until('the completion to wait for the check', async () => {
        const [row] = await world.sql<{ waiting: boolean }>(
          `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS waiting`,
        );
        return row?.waiting;
      });
    });
    expect((await completed)?.status).toBe(200);
    expect(await alerts()).toMatchObject([{ state: 'resolved', gone: true }]);
    expect(await world.sql('SELECT state, reason FROM deliveries')).toEqual([
      { state: 'suppressed', reason: 'fact_gone' },
    ]);
  });

  it('notify once if two checks run at the same time', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, day) => deadline(`2026-04-0${(day % 6) + 1}`)));
    // Runs of one job never overlap, but the statement does not rely on that.
    const watched = world.app
      .get(WatchedKinds, { strict: false })
      .all()
      .find(({ kind }) => kind === 'deadline_near')!;
    const all = await Promise.all(
      Array.from({ length: 3 }, () =>
        world.app
          .get(Database)
          .tenant(cast.tenant_id, (tx) =>
            world.app
              .get(Alerts, { strict: false })
              .check(tx, '2026-03-30', [{ watched, stages: [7, 3, 1, 0, -1] }]),
          ),
      ),
    );
    expect(all.reduce((sum, { notifications }) => sum + notifications, 0)).toBe(10);
    expect((await notified()).length).toBe(10);
  });

  it('follow the recipient’s preferences, and record it if there is no mail server', async () => {
    await world.sql(`INSERT INTO preferences VALUES ($1, $2, 'deadline_near', 'email', false)`, [
      cast.tenant_id,
      cast.teammate.id,
    ]);
    await deadline('2026-04-01');
    await check();
    expect((await notified()).length).toBe(1);
    expect(await world.sql('SELECT state, reason FROM deliveries')).toEqual([
      { state: 'suppressed', reason: 'preference' },
    ]);
    await world.sql('DELETE FROM preferences');
  });

  it('are not affected by another tenant’s check', async () => {
    await deadline('2026-04-01');
    expect(await check(cast.outsider.tenant_id)).toMatchObject({ facts: 0, notifications: 0 });
    expect(await notified()).toEqual([]);
  });

  it('depend on the date in the tenant’s zone', async () => {
    const tenant = await addTenant(world, { time_zone: 'Pacific/Auckland' });
    const user = await addPerson(world, tenant.id, { name: 'Auckland', role: 'admin' });
    // 30 March 13:00 UTC is the 31st in Auckland: due today there, and tomorrow in Paris.
    clock.set(new Date('2026-03-30T13:00:00Z'));
    await world.sql(`INSERT INTO deadlines (tenant_id, title, due_on) VALUES ($1, 'GST', '2026-03-31')`, [
      tenant.id,
    ]);
    await check(tenant.id);
    expect(await notified()).toEqual([
      { recipient: `user:${user.id}`, title: expect.stringContaining('aujourd') as string },
    ]);
  });
});
