import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { wordedNotifications } from '../../../test/support/worded.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00Z';
const DAY = 24 * 3_600_000;

/** A stage of a fact (an item and its date) is announced to a person once, and later stages replace earlier ones. */
describe('stages', () => {
  const clock = new FixedClock(MORNING);
  let world: World;
  let tenantId: string;
  let claire: Person;

  beforeAll(async () => {
    world = await createWorld({
      clock,
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
    });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    clock.set(MORNING);
    tenantId = (await addTenant(world)).id;
    claire = await addPerson(world, tenantId, { name: 'Claire', role: 'admin' });
  });

  const check = () => runJob(world, tenantId, 'check-notifications');
  const call = (method: 'POST' | 'PATCH', path: string, body?: object) =>
    world.http(method, `/api/v1/deadlines/${path}`, { token: claire.token, ...(body && { body }) });
  const deliveries = () =>
    world.sql(
      `SELECT d.state, d.reason FROM deliveries d JOIN notifications n ON n.id = d.notification_id
       WHERE d.tenant_id = $1 ORDER BY n.created_at, n.id`,
      [tenantId],
    );
  const feed = async () => {
    const { body } = await world.http('GET', '/api/v1/notifications', { token: claire.token });
    return (body as { data: { title: string; read_at: string | null }[] }).data;
  };

  async function deadline(dueOn: string): Promise<string> {
    const [row] = await world.sql<{ id: string }>(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', $2, $3) RETURNING id`,
      [tenantId, dueOn, claire.id],
    );
    return row!.id;
  }

  async function end(state: 'sent' | 'failed' | 'cancelled' | 'unknown'): Promise<void> {
    await world.sql(
      `UPDATE deliveries SET state = $2, ended_at = now(), sent_at = CASE WHEN $2 = 'sent' THEN now() END
       WHERE tenant_id = $1 AND state = 'pending'`,
      [tenantId, state],
    );
  }

  it('M1: texts use the current day and the reader’s language', async () => {
    await deadline('2026-04-01');
    await check();
    expect(await feed()).toMatchObject([{ title: 'TVA CA3, échéance dans 2 jours' }]);
    clock.advance(DAY);
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [claire.id]);
    // A day later the token has expired.
    expect(await wordedNotifications(world, tenantId)).toMatchObject([{ title: 'TVA CA3, due tomorrow' }]);
    clock.advance(3 * DAY);
    expect(await wordedNotifications(world, tenantId)).toMatchObject([{ title: 'TVA CA3, 2 days overdue' }]);
  });

  it.each(['pending', 'queued'])(
    'M1: a later stage supersedes the %s deliveries of earlier ones',
    async (state) => {
      await deadline('2026-04-04');
      await check();
      if (state === 'queued') {
        await world.sql(
          `UPDATE deliveries SET state = 'queued', lease_token = gen_random_uuid(), lease_until = now()
         WHERE tenant_id = $1`,
          [tenantId],
        );
      }
      clock.advance(2 * DAY);
      expect(await check()).toMatchObject({ staged: 1, notifications: 1, deliveries: 1 });
      expect(await deliveries()).toEqual([
        { state: 'suppressed', reason: 'superseded' },
        { state: 'pending', reason: null },
      ]);
    },
  );

  it('M1: sent deliveries and those being sent stay unchanged', async () => {
    await deadline('2026-04-04');
    await check();
    await end('sent');
    clock.advance(2 * DAY);
    await check();
    await world.sql(
      `UPDATE deliveries SET state = 'sending', lease_token = gen_random_uuid(), lease_until = now()
       WHERE tenant_id = $1 AND state = 'pending'`,
      [tenantId],
    );
    clock.advance(2 * DAY);
    await check();
    expect((await deliveries()).map(({ state }) => state)).toEqual(['sent', 'sending', 'pending']);
  });

  it.each(['sent', 'unknown'] as const)('T7: a stage that was %s is never announced again', async (state) => {
    const id = await deadline('2026-04-01');
    await check();
    await end(state);
    await call('PATCH', id, { due_on: '2026-06-01' });
    expect(await check()).toMatchObject({ notifications: 0 });
    await call('PATCH', id, { due_on: '2026-04-01' });
    expect(await check()).toMatchObject({ opened: 1, notifications: 0 });
    await call('POST', `${id}/complete`);
    await call('POST', `${id}/reopen`);
    expect(await check()).toMatchObject({ opened: 1, notifications: 0 });
    expect(await feed()).toHaveLength(1);

    // Its next stage is announced.
    clock.advance(DAY);
    expect(await check()).toMatchObject({ staged: 1, notifications: 1 });
  });

  it.each(['failed', 'cancelled'] as const)(
    'T7: a stage that was %s before it arrived is announced again',
    async (state) => {
      const id = await deadline('2026-04-01');
      await check();
      await end(state);
      await call('POST', `${id}/complete`);
      await call('POST', `${id}/reopen`);
      expect(await check()).toMatchObject({ opened: 1, notifications: 1, deliveries: 1 });
      expect((await deliveries()).map((each) => each.state)).toEqual([state, 'pending']);
      // The feed shows the fact once: the earlier notification is archived.
      expect(await feed()).toHaveLength(1);
      expect(await check()).toMatchObject({ notifications: 0 });
    },
  );

  it('T7: a stage that waited when the date moved away is announced again when the date returns', async () => {
    const id = await deadline('2026-04-01');
    await check();
    await call('PATCH', id, { due_on: '2026-06-01' });
    await call('PATCH', id, { due_on: '2026-04-01' });
    expect(await check()).toMatchObject({ opened: 1, notifications: 1 });
    expect(await deliveries()).toEqual([
      { state: 'suppressed', reason: 'fact_gone' },
      { state: 'pending', reason: null },
    ]);
  });

  it('T7: a person who only reads the feed is not notified twice', async () => {
    await world.sql(`INSERT INTO preferences VALUES ($1, $2, 'deadline_near', 'email', false)`, [
      tenantId,
      claire.id,
    ]);
    const id = await deadline('2026-04-01');
    await check();
    await call('POST', `${id}/complete`);
    await call('POST', `${id}/reopen`);
    expect(await check()).toMatchObject({ opened: 1, notifications: 0 });
    expect(await feed()).toHaveLength(1);
  });

  it('T7: another person is notified of a stage that somebody else has had', async () => {
    const id = await deadline('2026-04-01');
    await check();
    await end('sent');
    const bruno = await addPerson(world, tenantId, { name: 'Bruno' });
    await call('POST', `${id}/complete`);
    await call('POST', `${id}/reopen`);
    await call('PATCH', id, { responsible_id: bruno.id });
    expect(await check()).toMatchObject({ notifications: 1 });
    expect((await wordedNotifications(world, tenantId)).map(({ recipient }) => recipient)).toEqual([
      `user:${claire.id}`,
      `user:${bruno.id}`,
    ]);
  });

  it('M11: says why a person is notified', async () => {
    await deadline('2026-04-01');
    await world.sql(`INSERT INTO deadlines (tenant_id, title, due_on) VALUES ($1, 'CFE', '2026-04-01')`, [
      tenantId,
    ]);
    await check();
    const audiences = (await wordedNotifications(world, tenantId)).map(({ data, audience }) => [
      data.title,
      audience,
    ]);
    expect(audiences.sort()).toEqual([
      ['CFE', 'unassigned'],
      ['TVA CA3', 'responsible'],
    ]);
  });
});
