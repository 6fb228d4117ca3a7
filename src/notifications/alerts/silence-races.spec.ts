import pg from 'pg';
import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { StepwiseDelivery } from '../../delivery/dispatch/bundling.fixture.js';
import { Leases } from '../../delivery/sending/leases.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { type Client, connect } from '../../realtime/client.fixture.js';
import { AlertSilence } from './silence.js';

const MORNING = '2026-03-30T07:00:00.000Z';
const DAY = 24 * 3_600_000;
const SENT = { state: 'sent', provider_id: null, subject: 'Subject', text: 'Text' } as const;

const clock = new FixedClock(MORNING);
let world: World;
let blocker: pg.Client;
let way: StepwiseDelivery;
let leases: Leases;
let alice: Person;
let bob: Person;
let alert: string;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: {
      SMTP_HOST: '127.0.0.1',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
      LIMIT_PER_USER_PER_HOUR: '0',
      LIMIT_PER_USER_PER_DAY: '0',
    },
  });
  await world.app.listen(0, '127.0.0.1');
  way = new StepwiseDelivery(world);
  leases = world.app.get(Leases);
  blocker = new pg.Client({ connectionString: world.config.databaseUrl ?? '' });
  await blocker.connect();
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 20, now() + interval '1 day')`);
});
afterAll(async () => {
  await blocker.end();
  await world.close();
});
/** A deadline of Bob's in 5 days, announced at its stage of 7 days. */
beforeEach(async () => {
  clock.set(MORNING);
  const tenant = await addTenant(world);
  alice = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
  bob = await addPerson(world, tenant.id, { name: 'Bob' });
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', '2026-04-04', $2)`,
    [tenant.id, bob.id],
  );
  await check();
  [{ id: alert }] = (await world.sql<{ id: string }>('SELECT id FROM alerts WHERE tenant_id = $1', [
    tenant.id,
  ])) as [{ id: string }];
});
afterEach(async () => {
  await blocker.query('ROLLBACK');
  await world.sql('DELETE FROM tenants');
});

const check = () => runJob(world, bob.tenant_id, 'check-notifications');
/** As the routes do, in a transaction of its own. */
const inTenant = (act: 'acknowledge' | 'unacknowledge', person = bob) =>
  world.app
    .get(Database)
    .tenant(person.tenant_id, (tx) =>
      world.app.get(AlertSilence)[act](tx, alert, { user_id: person.id, only_notified: false }),
    );
const snooze = (hours: number | null) =>
  world.app.get(Database).tenant(bob.tenant_id, (tx) => {
    const instant = hours === null ? null : new Date(clock.now().getTime() + hours * 3_600_000);
    return world.app.get(AlertSilence).snooze(tx, alert, { user_id: bob.id, only_notified: true }, instant);
  });
const stored = async () => (await world.sql('SELECT * FROM alerts WHERE id = $1', [alert]))[0]!;
const deliveries = () =>
  world.sql(`SELECT state, reason FROM deliveries WHERE tenant_id = $1 ORDER BY created_at, id`, [
    bob.tenant_id,
  ]);
const seqs = () =>
  world.sql<{ seq: string; acknowledged: boolean }>(
    `SELECT seq::int, acknowledged_at IS NOT NULL AS acknowledged FROM notifications WHERE tenant_id = $1 ORDER BY id`,
    [bob.tenant_id],
  );
/** Until this many statements wait for a lock. */
const waiting = (count: number) =>
  until(`${count} to wait for a lock`, async () => {
    const rows = await world.sql(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length === count;
  });

describe('V16: a message that is on its way', () => {
  async function claimed() {
    await way.admit();
    const [job] = await way.queued();
    const message = await leases.claim(job!);
    expect(message).not.toBe(false);
    return job!;
  }

  it('V16: one that is being sent when somebody acknowledges is sent, and recorded as sent', async () => {
    const job = await claimed();
    await inTenant('acknowledge');
    expect(await leases.record(job, SENT)).toBe(true);
    expect(await deliveries()).toEqual([{ state: 'sent', reason: null }]);
  });

  it.each(['acknowledged', 'snoozed'])(
    'V16: one that was %s while its attempt failed is not tried again',
    async (reason) => {
      const job = await claimed();
      await (reason === 'acknowledged' ? inTenant('acknowledge') : snooze(24));
      expect(
        await leases.record(job, { state: 'pending', error: '450 busy', delay_ms: 1_000, ambiguous: false }),
      ).toBe(true);
      clock.advance(2_000);
      expect(await way.admit()).toEqual([1]);
      const [again] = await way.queued();
      await leases.claim(again!);
      expect(await deliveries()).toEqual([{ state: 'suppressed', reason }]);

      // Undone, it leaves as a new message, with all its attempts.
      await (reason === 'acknowledged' ? inTenant('unacknowledge') : snooze(null));
      const restored = await claimed();
      expect(restored.lease_token).not.toBe(job.lease_token);
      expect(await world.sql(`SELECT state, attempts, reason FROM deliveries`)).toEqual([
        { state: 'sending', attempts: 1, reason: null },
      ]);
    },
  );

  it('V16: one that may have arrived is not sent again when the acknowledgement is undone', async () => {
    const job = await claimed();
    await leases.record(job, { state: 'pending', error: 'silence', delay_ms: 1_000, ambiguous: true });
    await inTenant('acknowledge');
    await inTenant('unacknowledge');
    expect(await deliveries()).toEqual([{ state: 'suppressed', reason: 'acknowledged' }]);
  });

  it('V16: a queued one is suppressed, and its worker sends nothing', async () => {
    await way.admit();
    const [job] = await way.queued();
    await inTenant('acknowledge');
    expect(await leases.claim(job!)).toBe(false);
    expect(await deliveries()).toEqual([{ state: 'suppressed', reason: 'acknowledged' }]);
  });
});

describe('V16: a check at the same time', () => {
  it('V16: that comes to an alert which somebody is acknowledging counts it, and announces nothing', async () => {
    // The later stage is reached.
    clock.advance(2 * DAY);
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM alerts WHERE id = $1 FOR UPDATE`, [alert]);
    const checked = check();
    await waiting(1);
    await blocker.query(`UPDATE alerts SET acknowledged_at = $2 WHERE id = $1`, [alert, clock.now()]);
    await blocker.query('COMMIT');
    expect(await checked).toMatchObject({ staged: 0, notifications: 0, deliveries: 0 });
    expect(await stored()).toMatchObject({ occurrences: 2, stage: 7, last_seen_at: clock.now() });
  });

  it('V16: that is announcing a stage goes first: its message is suppressed, and its notification marked', async () => {
    clock.advance(2 * DAY);
    // The check waits for the inbox, with the alert locked.
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM inboxes WHERE user_id = $1 FOR UPDATE`, [bob.id]);
    const checked = check();
    await waiting(1);
    const acknowledged = inTenant('acknowledge', alice);
    await waiting(2);
    await blocker.query('COMMIT');
    await acknowledged;
    expect(await checked).toMatchObject({ staged: 1, notifications: 1 });
    expect(await deliveries()).toEqual([
      { state: 'suppressed', reason: 'superseded' },
      { state: 'suppressed', reason: 'acknowledged' },
    ]);
    expect(await seqs()).toEqual([
      { seq: 3, acknowledged: true },
      { seq: 3, acknowledged: true },
    ]);
  });

  it('V16: everything at once neither blocks nor loses a count', async () => {
    const acts = [
      () => inTenant('acknowledge'),
      () => inTenant('unacknowledge', alice),
      () => snooze(24),
      () => snooze(null),
      () => world.http('PUT', '/api/v1/notifications/read-all', { token: bob.token }),
      () => way.admit(),
    ];
    // Runs of one job follow each other.
    const CHECKS = 6;
    const checks = async () => {
      for (let turn = 0; turn < CHECKS; turn += 1) await check();
    };
    await Promise.all([
      checks(),
      ...Array.from({ length: 60 }, (_, turn) => acts[(turn * 7) % acts.length]!()),
    ]);
    expect(await stored()).toMatchObject({ occurrences: 1 + CHECKS });
    await snooze(null);
    await inTenant('acknowledge');
    const [{ seq }] = (await world.sql(`SELECT seq::int FROM inboxes WHERE user_id = $1`, [bob.id])) as [
      { seq: number },
    ];
    expect(await seqs()).toEqual([{ seq, acknowledged: true }]);
  });
});

describe('V16: a connected client', () => {
  let client: Client;
  afterEach(() => client.socket.disconnect());

  it('V16: of each person who was notified gets one frame, with who acknowledged', async () => {
    client = await connect(await world.app.getUrl(), { token: bob.token });
    await until('the count', () => client.count());
    const answer = await world.http('POST', `/api/v1/alerts/${alert}/acknowledge`, { token: alice.token });
    expect(answer.status).toBe(200);
    await until('the frame', () => client.notifications().length > 0);
    expect(client.heard.slice(1)).toMatchObject([
      {
        name: 'notification.updated',
        payload: {
          alert_id: alert,
          acknowledged_at: MORNING,
          acknowledged_by: 'Alice',
          snoozed_until: null,
          unread_count: 1,
          seq: 2,
        },
      },
    ]);
  });
});
