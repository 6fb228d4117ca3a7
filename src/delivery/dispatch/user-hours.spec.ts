import { addPerson, addTenant, createCast, type Person } from '../../../test/support/cast.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type CaughtMail, type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { Database } from '../../platform/database/database.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { StepwiseDelivery } from './bundling.fixture.js';

/** Friday 3 April 2026, 09:00 in Paris. */
const FRIDAY = '2026-04-03T07:00:00Z';

const clock = new FixedClock(FRIDAY);
let world: World;
let way: StepwiseDelivery;
let smtp: MailCatcher;
let admin: Person;
let bob: Person;
let before: number;
let events = 0;

beforeAll(async () => {
  smtp = await startMailCatcher();
  world = await createWorld({ clock, env: mailEnvironment(smtp) });
  await createCast(world);
  way = new StepwiseDelivery(world);
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 50, now() + interval '1 day')`);
});
afterAll(async () => {
  await world.close();
  await smtp.close();
});
beforeEach(async () => {
  clock.set(FRIDAY);
  await world.sql('DELETE FROM deliveries');
  const tenant = await addTenant(world);
  admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
  bob = await addPerson(world, tenant.id, { name: 'Bob', role: 'admin' });
  before = smtp.count;
});

/** The mails of this test to Bob. */
const mails = (): readonly CaughtMail[] =>
  smtp.mails.slice(smtp.mails.length - (smtp.count - before)).filter(({ to }) => to.includes(bob.email));
const prefer = async (body: object) => {
  const answer = await world.http('PUT', '/api/v1/preferences', {
    token: bob.token,
    body: { preferences: [], ...body },
  });
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
};
/** The test's clock moves on by days: a session of the start has expired. */
const signedIn = async ({ id, role, tenant_id }: Person) =>
  (await world.app.get(Database).tenant(tenant_id, (tx) => world.app.get(Sessions).begin(tx, { id, role })))
    .access_token;
const tell = async (severity: 'info' | 'critical') => {
  events += 1;
  const answer = await world.http('POST', '/api/v1/events', {
    token: await signedIn(admin),
    body: {
      kind: 'disk',
      title: `Disk ${events}`,
      body: 'Full.',
      severity,
      dedupe_key: `d-${events}`,
      user_ids: [bob.id],
    },
  });
  expect(answer.status).toBe(201);
};
const waiting = () =>
  world.sql<{ due_at: Date; defer_reason: string }>(
    `SELECT due_at, defer_reason FROM deliveries WHERE recipient = 'user:' || $1 AND state = 'pending' ORDER BY id`,
    [bob.id],
  );
const OFFICE = [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '19:00' }];

describe('E6: receiving hours by weekday', () => {
  it('E6: waiting notifications are sent on Monday as one mail; critical ones are sent at once', async () => {
    await prefer({ receiving_hours: OFFICE });
    await tell('info');
    await way.leave();
    expect(mails()).toHaveLength(1);
    // 19:00 in Paris.
    for (const instant of ['2026-04-03T17:00:00Z', '2026-04-04T10:00:00Z', '2026-04-06T05:59:59Z']) {
      clock.set(instant);
      await tell('info');
      await way.leave();
    }
    expect(mails()).toHaveLength(1);
    const monday = { due_at: new Date('2026-04-06T06:00:00Z'), defer_reason: 'quiet_hours' };
    expect(await waiting()).toEqual([monday, monday, monday]);
    await tell('critical');
    await way.leave();
    expect(mails()).toHaveLength(2);
    clock.set('2026-04-06T06:00:00Z');
    expect(await way.leave()).toEqual([3]);
    expect(mails()).toHaveLength(3);
  });

  it('E6: a change applies to waiting deliveries', async () => {
    await prefer({ receiving_hours: [{ days: [6], from: '10:00', to: '12:00' }] });
    await tell('info');
    await way.leave();
    expect(await waiting()).toEqual([
      { due_at: new Date('2026-04-04T08:00:00Z'), defer_reason: 'quiet_hours' },
    ]);
    await prefer({ receiving_hours: OFFICE });
    await way.leave();
    expect(mails()).toHaveLength(1);
  });
});

describe('E6: a pause', () => {
  it('E6: defers all but critical notifications until its day in the user’s zone, then sends one mail', async () => {
    await world.sql(`UPDATE users SET time_zone = 'America/New_York' WHERE id = $1`, [bob.id]);
    await prefer({ paused_until: '2026-04-20' });
    await tell('info');
    await way.leave();
    clock.set('2026-04-10T10:00:00Z');
    await tell('info');
    await tell('critical');
    await way.leave();
    expect(mails().map(({ subject }) => subject)).toEqual([expect.stringContaining(`Disk ${events}`)]);
    const end = { due_at: new Date('2026-04-20T04:00:00Z'), defer_reason: 'user_paused' };
    expect(await waiting()).toEqual([end, end]);
    const noted = await world.sql(
      `SELECT e.event, e.reason, e.until FROM delivery_events e JOIN deliveries d ON d.id = e.delivery_id
       WHERE d.recipient = 'user:' || $1`,
      [bob.id],
    );
    expect(noted).toEqual(
      [end, end].map(({ due_at }) => ({ event: 'deferred', reason: 'user_paused', until: due_at })),
    );
    clock.set('2026-04-20T03:59:59Z');
    expect(await way.leave()).toEqual([]);
    clock.set('2026-04-20T04:00:00Z');
    expect(await way.leave()).toEqual([2]);
    expect(mails()).toHaveLength(2);
  });

  it('E6: is followed by the user’s hours', async () => {
    await prefer({
      paused_until: '2026-04-18',
      receiving_hours: OFFICE,
      quiet_hours: { from: '19:00', to: '09:15' },
    });
    await tell('info');
    await way.leave();
    // The 18th is a Saturday.
    expect(await waiting()).toEqual([
      { due_at: new Date('2026-04-20T07:15:00Z'), defer_reason: 'user_paused' },
    ]);
  });

  it('E6: ends early if the user says so', async () => {
    await prefer({ paused_until: '2026-05-20' });
    await tell('info');
    await way.leave();
    await prefer({});
    await way.leave();
    expect(mails()).toHaveLength(1);
  });

  it('E6: does not count in the age at which a message expires', async () => {
    await prefer({ paused_until: '2026-05-20' });
    await tell('info');
    await way.leave();
    const since = () =>
      world.sql(`SELECT due_since FROM deliveries WHERE recipient = 'user:' || $1`, [bob.id]);
    expect(await since()).toEqual([{ due_since: new Date('2026-05-19T22:00:00Z') }]);
    await prefer({});
    expect(await since()).toEqual([{ due_since: new Date(FRIDAY) }]);
  });
});

describe('E6: a kind that is turned off', () => {
  const off = { preferences: [{ kind: 'event', channel: 'email', enabled: false }] };
  const states = () =>
    world.sql(`SELECT state, reason FROM deliveries WHERE recipient = 'user:' || $1 ORDER BY id`, [bob.id]);
  const SUPPRESSED = { state: 'suppressed', reason: 'preference' };

  it('E6: is not sent unless it is critical, and waiting deliveries are suppressed', async () => {
    await prefer({ quiet_hours: { from: '08:00', to: '10:00' } });
    await tell('info');
    await way.leave();
    await prefer(off);
    await tell('info');
    await tell('critical');
    await way.leave();
    expect(await states()).toEqual([SUPPRESSED, SUPPRESSED, { state: 'sent', reason: null }]);
    expect(mails()).toHaveLength(1);
  });

  it('E6: by the tenant applies to users who have not chosen', async () => {
    const chosen = (preferences: object[]) =>
      world.http('PUT', '/api/v1/tenant/preferences', { token: admin.token, body: { preferences } });
    expect((await chosen(off.preferences)).status).toBe(200);
    await tell('info');
    await tell('critical');
    await prefer({ preferences: [{ kind: 'event', channel: 'email', enabled: true }] });
    await tell('info');
    await way.leave();
    const SENT = { state: 'sent', reason: null };
    expect(await states()).toEqual([{ ...SUPPRESSED, reason: 'tenant_preference' }, SENT, SENT]);
    await chosen([]);
    await prefer({});
    await tell('info');
    await way.leave();
    expect(mails()).toHaveLength(3);
  });

  it('E6: a channel that the tenant turns on reaches users who have an address on it', async () => {
    await world.http('PUT', '/api/v1/tenant/preferences', {
      token: admin.token,
      body: { preferences: [{ kind: 'event', channel: 'sms', enabled: true }] },
    });
    await tell('info');
    await world.sql(`UPDATE users SET phone = '+33612345678' WHERE id = $1`, [bob.id]);
    await tell('info');
    const rows = await world.sql(
      `SELECT address, state, reason FROM deliveries WHERE recipient = 'user:' || $1 AND channel = 'sms'`,
      [bob.id],
    );
    expect(rows).toEqual([
      { address: '+33612345678', state: 'suppressed', reason: 'channel_not_configured' },
    ]);
  });
});
