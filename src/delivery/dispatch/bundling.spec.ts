import { addPerson, addTenant, createCast, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type CaughtMail, type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { StepwiseDelivery } from './bundling.fixture.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00Z';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** M3, E6: waiting notifications of one person leave as one message. */
describe('bundling', () => {
  const clock = new FixedClock(MORNING);
  let world: World;
  let way: StepwiseDelivery;
  let smtp: MailCatcher;
  let admin: Person;
  let before: number;

  beforeAll(async () => {
    smtp = await startMailCatcher();
    world = await createWorld({
      clock,
      env: {
        ...mailEnvironment(smtp),
        LIMIT_PER_USER_PER_HOUR: '20',
        LIMIT_PER_USER_PER_DAY: '100',
      },
    });
    await createCast(world);
    way = new StepwiseDelivery(world);
  });
  afterAll(async () => {
    await world.close();
    await smtp.close();
  });
  beforeEach(async () => {
    clock.set(new Date(MORNING));
    await world.sql('DELETE FROM deliveries');
    await world.sql('DELETE FROM workers');
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 50, now() + interval '1 day')`);
    const tenant = await addTenant(world);
    admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    before = smtp.count;
  });

  const mails = (): readonly CaughtMail[] => smtp.mails.slice(smtp.mails.length - (smtp.count - before));
  const check = () => runJob(world, admin.tenant_id, 'check-notifications');
  const items = (table: string, count: number, dueOn: string, who = admin.id) =>
    world.sql<{ id: string }>(
      `INSERT INTO ${table} (tenant_id, title, due_on, responsible_id)
       SELECT $1, 'Item ' || i, $2, $3 FROM generate_series(1, $4::integer) i RETURNING id`,
      [admin.tenant_id, dueOn, who, count],
    );
  const settings = (value: object) =>
    world.sql('UPDATE tenants SET settings = $2 WHERE id = $1', [admin.tenant_id, JSON.stringify(value)]);
  const preferences = (value: object) =>
    world.http('PUT', '/api/v1/preferences', { token: admin.token, body: { preferences: [], ...value } });
  const events = async (count: number, severity: string, kind = 'disk') => {
    for (let i = 0; i < count; i += 1) {
      const answer = await world.http('POST', '/api/v1/events', {
        token: admin.token,
        body: { kind, title: `Disk ${i}`, body: 'Full.', severity, dedupe_key: `${kind}-${severity}-${i}` },
      });
      expect(answer.status).toBe(201);
    }
  };
  const states = () =>
    world.sql(
      `SELECT state, reason, count(*) FROM deliveries WHERE tenant_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
      [admin.tenant_id],
    );

  it('M3: 40 deadlines, 12 documents and 9 tasks of one person are one mail', async () => {
    await items('deadlines', 40, '2026-04-06');
    await items('document_requests', 12, '2026-03-30');
    await items('tasks', 9, '2026-03-29');
    await check();
    expect(await way.leave()).toEqual([61]);
    expect(mails()).toHaveLength(1);
    expect(mails()[0]?.text.match(/Item \d+/g)).toHaveLength(61);
    expect(await states()).toEqual([{ state: 'sent', reason: null, count: 61 }]);
  });

  it('M3: 40 clients with one VAT date are five mails in nine days', async () => {
    await items('deadlines', 40, '2026-04-06');
    const sizes: number[] = [];
    for (let day = 0; day < 9; day += 1) {
      await check();
      sizes.push(...(await way.leave()));
      clock.advance(DAY);
    }
    expect(sizes).toEqual([40, 40, 40, 40, 40]);
    expect(mails()).toHaveLength(5);
    expect(new Set(mails().map(({ message_id }) => message_id)).size).toBe(5);
  });

  it('M3: deliveries that quiet hours deferred at several times overnight leave as one', async () => {
    expect((await preferences({ quiet_hours: { from: '20:00', to: '07:30' } })).status).toBe(200);
    clock.set(new Date('2026-03-30T19:00:00Z'));
    await items('deadlines', 5, '2026-04-06');
    await check();
    expect(await way.leave()).toEqual([]);
    clock.advance(HOUR);
    await items('deadlines', 4, '2026-04-06');
    await check();
    expect(await way.leave()).toEqual([]);
    clock.set(new Date('2026-03-31T05:30:00Z'));
    expect(await way.leave()).toEqual([9]);
    const waited = await world.sql(`SELECT event, reason, count(*) FROM delivery_events GROUP BY 1, 2`);
    expect(waited).toEqual([{ event: 'deferred', reason: 'quiet_hours', count: 9 }]);
  });

  it('shows the message in deliveries: id, size and sent text; the text only if all of it is for the reader', async () => {
    await items('deadlines', 3, '2026-04-06');
    await check();
    await way.leave();
    const list = await world.http('GET', '/api/v1/deliveries', { token: admin.token });
    const rows = list.body.data as {
      id: string;
      bundle_id: string;
      bundle_size: number;
      notification_id: string;
    }[];
    expect(rows.map(({ bundle_size }) => bundle_size)).toEqual([3, 3, 3]);
    expect(new Set(rows.map(({ bundle_id }) => bundle_id)).size).toBe(1);
    const one = await world.http('GET', `/api/v1/deliveries/${rows[0]!.id}`, { token: admin.token });
    expect(one.body).toMatchObject({ state: 'sent', sent_subject: mails()[0]?.subject });
    expect(one.body.sent_text).toContain('Item 2');
    const feed = await world.http('GET', `/api/v1/notifications/${rows[1]!.notification_id}`, {
      token: admin.token,
    });
    expect(feed.body.deliveries).toMatchObject([{ bundle_size: 3, sent_subject: mails()[0]?.subject }]);
  });

  it('does not show a bundle to the creator of one notification in it', async () => {
    const member = await addPerson(world, admin.tenant_id, { name: 'Bob', role: 'member' });
    await items('deadlines', 2, '2026-04-06', member.id);
    await check();
    await world.http('POST', '/api/v1/events', {
      token: admin.token,
      body: {
        kind: 'disk',
        title: 'Disk',
        body: 'Full.',
        severity: 'info',
        dedupe_key: 'd',
        user_ids: [member.id],
      },
    });
    expect(await way.leave()).toEqual([3]);
    const [row] = await world.sql<{ id: string }>(
      `SELECT d.id FROM deliveries d JOIN notifications n ON n.id = d.notification_id WHERE n.kind = 'event'`,
    );
    const seen = await world.http('GET', `/api/v1/deliveries/${row!.id}`, { token: admin.token });
    expect(seen.body).toMatchObject({ state: 'sent', bundle_size: 3, sent_subject: null, sent_text: null });
  });

  it('101 are two messages', async () => {
    await items('deadlines', 101, '2026-04-06');
    await check();
    expect(await way.leave()).toEqual([100, 1]);
    expect(await states()).toEqual([{ state: 'sent', reason: null, count: 101 }]);
  });

  it('3,000 are 30 messages of 100, and count as 30', async () => {
    await settings({ limits: { per_user_per_hour: 30, per_user_per_day: 30 } });
    for (let part = 0; part < 3; part += 1) {
      await items('deadlines', 1_000, '2026-04-06');
      // Like autovacuum within a minute: the check plans badly for tables that seem empty.
      await world.sql('ANALYZE');
      await check();
    }
    const sizes = await way.leave();
    expect(sizes).toHaveLength(30);
    expect(new Set(sizes)).toEqual(new Set([100]));
    expect(await states()).toEqual([{ state: 'sent', reason: null, count: 3_000 }]);
  }, 120_000);

  it('an item that is completed, moved or deleted between bundling and sending is not in the mail', async () => {
    const [done, moved, deleted] = await items('tasks', 5, '2026-03-29');
    await check();
    expect(await way.admit()).toEqual([5]);
    const call = (method: string, path: string, body?: object) =>
      world.http(method, `/api/v1/tasks/${path}`, { token: admin.token, ...(body && { body }) });
    expect((await call('POST', `${done!.id}/complete`)).status).toBeLessThan(300);
    expect((await call('PATCH', moved!.id, { due_on: '2026-06-01' })).status).toBe(200);
    expect((await call('DELETE', deleted!.id)).status).toBeLessThan(300);
    await way.send();
    expect(
      mails()[0]
        ?.text.match(/Item \d+/g)
        ?.sort(),
    ).toEqual(['Item 4', 'Item 5']);
    expect(await states()).toEqual([
      { state: 'sent', reason: null, count: 2 },
      { state: 'suppressed', reason: 'fact_gone', count: 3 },
    ]);
  });

  it('a bundle whose items are all gone sends nothing', async () => {
    await items('tasks', 3, '2026-03-29');
    await check();
    expect(await way.admit()).toEqual([3]);
    // The state in between: the facts are gone, and their deliveries are queued.
    await world.sql(`UPDATE alerts SET gone_at = now(), state = 'resolved', resolved_at = now()`);
    await way.send();
    expect(mails()).toHaveLength(0);
    expect(await states()).toEqual([{ state: 'suppressed', reason: 'fact_gone', count: 3 }]);
    const events_ = await world.sql(`SELECT event, reason, count(*) FROM delivery_events GROUP BY 1, 2`);
    expect(events_).toEqual([{ event: 'suppressed', reason: 'fact_gone', count: 3 }]);
  });

  it('a bundle whose only recipient is erased meanwhile sends nothing', async () => {
    const member = await addPerson(world, admin.tenant_id, { name: 'Bob', role: 'member' });
    await items('tasks', 3, '2026-03-29', member.id);
    await check();
    expect(await way.admit()).toEqual([3]);
    const erased = await world.http('DELETE', `/api/v1/users/${member.id}`, { token: admin.token });
    expect(erased.status).toBe(204);
    await way.send();
    expect(mails()).toHaveLength(0);
    expect(await states()).toEqual([{ state: 'suppressed', reason: 'user_erased', count: 3 }]);
  });

  it('single: one mail each, by the tenant’s or the user’s setting; the user’s takes precedence', async () => {
    await settings({ bundling: 'single' });
    await items('tasks', 3, '2026-03-29');
    await check();
    expect(await way.leave()).toEqual([1, 1, 1]);

    expect((await preferences({ bundling: 'together' })).body).toMatchObject({ bundling: 'together' });
    await items('deadlines', 3, '2026-04-06');
    await check();
    expect(await way.leave()).toEqual([3]);

    await settings({});
    await preferences({ bundling: 'single' });
    await items('document_requests', 3, '2026-03-30');
    await check();
    expect(await way.leave()).toEqual([1, 1, 1]);
    const read = await world.http('GET', '/api/v1/preferences', { token: admin.token });
    expect(read.body).toMatchObject({ bundling: 'single' });
    expect(mails()).toHaveLength(7);
  });

  it('a setting changed while they wait takes effect', async () => {
    await preferences({ quiet_hours: { from: '08:00', to: '10:00' } });
    await items('tasks', 3, '2026-03-29');
    await check();
    expect(await way.leave()).toEqual([]);
    await preferences({ bundling: 'single', quiet_hours: null });
    expect(await way.leave()).toEqual([1, 1, 1]);
  });

  it('limits count messages; deliveries over a limit leave together later', async () => {
    await settings({ limits: { per_user_per_hour: 1, per_user_per_day: 2 } });
    await items('tasks', 30, '2026-03-29');
    await check();
    expect(await way.leave()).toEqual([30]);
    await items('deadlines', 7, '2026-04-06');
    await check();
    expect(await way.leave()).toEqual([]);
    clock.advance(HOUR);
    expect(await way.leave()).toEqual([7]);
    await items('document_requests', 3, '2026-03-30');
    await check();
    clock.advance(HOUR);
    expect(await way.leave()).toEqual([]);
    clock.advance(23 * HOUR);
    expect(await way.leave()).toEqual([3]);
  });

  it('critical ones: three are three mails, four of a kind are one, and they do not mix with others', async () => {
    await events(3, 'critical');
    expect(await way.admit()).toEqual([1, 1, 1]);
    await way.send();
    await events(4, 'critical', 'other');
    await events(2, 'info');
    expect((await way.admit()).sort()).toEqual([2, 4]);
    await way.send();
    expect(mails()).toHaveLength(5);
  });

  it('200 critical ones of a kind are one mail, 251 are two', async () => {
    await events(200, 'critical');
    expect(await way.leave()).toEqual([200]);
    await events(251, 'critical', 'other');
    expect(await way.leave()).toEqual([250, 1]);
  }, 60_000);
});
