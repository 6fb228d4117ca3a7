import { randomUUID } from 'node:crypto';
import {
  addPerson,
  addTenant,
  type Cast,
  type CastTenant,
  createCast,
  type Person,
} from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { wordedNotifications } from '../../../test/support/worded.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00.000Z';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const clock = new FixedClock(MORNING);
let world: World;
let operator: Cast['operator'];
let tenant: CastTenant;
/** An admin, the responsible member, a member who was notified of nothing, the admin of another tenant. */
let alice: Person;
let bob: Person;
let carol: Person;
let outsider: Person;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
  ({ operator } = await createCast(world));
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(MORNING);
  tenant = await addTenant(world);
  alice = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
  bob = await addPerson(world, tenant.id, { name: 'Bob' });
  carol = await addPerson(world, tenant.id, { name: 'Carol' });
  outsider = await addPerson(world, (await addTenant(world)).id, { name: 'Charlie', role: 'admin' });
});

const check = () => runJob(world, tenant.id, 'check-notifications');
/** Signs in again: the clock runs for days. */
const tokenOf = async ({ tenant_id, id, role }: Person) => {
  const sessions = world.app.get(Sessions, { strict: false });
  const pair = await world.app.get(Database).tenant(tenant_id, (tx) => sessions.begin(tx, { id, role }));
  return pair.access_token;
};
const call = async (method: string, path: string, person: Person, body?: unknown) =>
  world.http(method, `/api/v1/${path}`, {
    token: await tokenOf(person),
    ...(body === undefined ? {} : { body }),
  });
const post = (path: string, person: Person, body?: unknown) => call('POST', path, person, body);
const get = (path: string, person: Person) => call('GET', path, person);
const mark = (act: string, id: string, person: Person, body?: unknown) =>
  post(`alerts/${id}/${act}`, person, body);
const snooze = (id: string, person: Person, until: string | null) => mark('snooze', id, person, { until });
const inHours = (hours: number) => new Date(clock.now().getTime() + hours * HOUR).toISOString();

/** A deadline of Bob's, with its alert. */
async function announced(dueOn = '2026-04-04'): Promise<{ deadline: string; alert: string }> {
  const [row] = await world.sql<{ id: string }>(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', $2, $3) RETURNING id`,
    [tenant.id, dueOn, bob.id],
  );
  await check();
  const [alert] = await world.sql<{ id: string }>(
    `SELECT id FROM alerts WHERE tenant_id = $1 AND source_id = $2`,
    [tenant.id, row!.id],
  );
  return { deadline: row!.id, alert: alert!.id };
}
const titles = async () => (await wordedNotifications(world, tenant.id)).map(({ title }) => title);
const deliveries = () =>
  world.sql(`SELECT state, reason FROM deliveries WHERE tenant_id = $1 ORDER BY created_at, id`, [tenant.id]);
const stored = async (id: string) => (await world.sql('SELECT * FROM alerts WHERE id = $1', [id]))[0];

describe('V16: acknowledging an alert', () => {
  it('V16: shows who and when on the alert and in the feeds of all who were notified', async () => {
    const { body } = await post('events', alice, {
      kind: 'disk.full',
      title: 'Disk full',
      body: 'Make room.',
      severity: 'critical',
      dedupe_key: randomUUID(),
      user_ids: [alice.id, bob.id],
    });
    const id = body.id as string;
    const before = await get('notifications', alice);
    expect(before.body.data).toMatchObject([{ alert_id: id, acknowledged_at: null, acknowledged_by: null }]);

    clock.advance(HOUR);
    const at = clock.now().toISOString();
    const answer = await mark('acknowledge', id, bob);
    expect(answer).toMatchObject({
      status: 200,
      body: { id, state: 'acknowledged', acknowledged_at: at, acknowledged_by: 'Bob', snoozed_until: null },
    });
    expect((await get('alerts', alice)).body.data).toMatchObject([{ id, acknowledged_by: 'Bob' }]);
    for (const person of [alice, bob]) {
      const { data } = (await get('notifications', person)).body as {
        data: { cursor: string; id: string }[];
      };
      expect(data).toMatchObject([{ alert_id: id, acknowledged_at: at, acknowledged_by: 'Bob' }]);
      expect(data[0]!.cursor).toBe(`2.${data[0]!.id}`);
    }
  });

  it('V16: stops later stages until the fact is gone; checks go on counting', async () => {
    const { alert, deadline } = await announced();
    await mark('acknowledge', alert, bob);
    for (let day = 0; day < 7; day += 1) {
      clock.advance(DAY);
      expect(await check()).toMatchObject({ facts: 1, staged: 0, repeated: 1, notifications: 0 });
    }
    expect(await titles()).toHaveLength(1);
    expect(await stored(alert)).toMatchObject({ occurrences: 8, last_seen_at: clock.now(), stage: 7 });

    // Moved to another date: another fact, announced as a new one.
    await call('PATCH', `deadlines/${deadline}`, alice, { due_on: '2026-04-09' });
    expect(await check()).toMatchObject({ opened: 1, notifications: 1 });
    const [now, past] = (await get('alerts', bob)).body.data as unknown[];
    expect(now).toMatchObject({ state: 'open', acknowledged_at: null, acknowledged_by: null });
    expect(past).toMatchObject({ id: alert, state: 'resolved', acknowledged_by: 'Bob' });
  });

  it('V16: suppresses what has not left, with a reason of its own', async () => {
    const { alert } = await announced();
    await mark('acknowledge', alert, alice);
    expect(await deliveries()).toEqual([{ state: 'suppressed', reason: 'acknowledged' }]);
    expect(
      await world.sql(`SELECT event, reason, at FROM delivery_events WHERE tenant_id = $1`, [tenant.id]),
    ).toEqual([{ event: 'suppressed', reason: 'acknowledged', at: clock.now() }]);
  });

  it('V16: a fact that returns after it cleared is announced again if its message never left', async () => {
    const { alert, deadline } = await announced();
    await mark('acknowledge', alert, bob);
    await post(`deadlines/${deadline}/complete`, alice);
    await post(`deadlines/${deadline}/reopen`, alice);
    expect(await check()).toMatchObject({ opened: 1, notifications: 1, deliveries: 1 });
  });

  it('V16: the first of two people counts, however often it is repeated', async () => {
    const { alert } = await announced();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, turn) => mark('acknowledge', alert, turn % 2 === 0 ? alice : bob)),
    );
    const names = new Set(answers.map(({ status, body }) => `${status} ${String(body.acknowledged_by)}`));
    expect(names.size).toBe(1);
    const [feed] = (await get('notifications', bob)).body.data as { cursor: string; id: string }[];
    expect(feed!.cursor).toBe(`2.${feed!.id}`);
  });

  it('V16: undone, it sends what was suppressed, and announces the stage that is reached by then', async () => {
    const { alert } = await announced();
    await mark('acknowledge', alert, bob);
    clock.advance(DAY);
    const { body } = await mark('unacknowledge', alert, alice);
    expect(body).toMatchObject({ acknowledged_at: null, acknowledged_by: null });
    expect(await deliveries()).toEqual([{ state: 'pending', reason: null }]);
    expect(await check()).toMatchObject({ notifications: 0 });
    expect((await get('notifications', bob)).body.data).toMatchObject([{ acknowledged_by: null }]);

    await mark('acknowledge', alert, bob);
    clock.advance(3 * DAY);
    expect(await check()).toMatchObject({ notifications: 0 });
    await mark('unacknowledge', alert, bob);
    expect(await check()).toMatchObject({ staged: 1, notifications: 1 });
    expect(await titles()).toEqual(['TVA CA3, échéance demain', 'TVA CA3, échéance demain']);
    expect(await deliveries()).toEqual([
      { state: 'suppressed', reason: 'superseded' },
      { state: 'pending', reason: null },
    ]);
  });

  it('V16: changes nothing once the fact is gone', async () => {
    const { alert, deadline } = await announced();
    await post(`deadlines/${deadline}/complete`, alice);
    const before = await stored(alert);
    for (const answer of [
      await mark('acknowledge', alert, bob),
      await snooze(alert, bob, inHours(1)),
      await mark('unacknowledge', alert, bob),
    ]) {
      expect(answer).toMatchObject({ status: 200, body: { state: 'resolved', acknowledged_at: null } });
    }
    expect(await stored(alert)).toEqual(before);
  });
});

describe('V16: snoozing an alert', () => {
  it('V16: the first check after the instant announces the fact again, once, at its stage', async () => {
    const { alert } = await announced();
    const { body } = await snooze(alert, bob, inHours(2 * 24 + 1));
    expect(body).toMatchObject({ snoozed_until: inHours(49), acknowledged_at: null });
    expect(await deliveries()).toEqual([{ state: 'suppressed', reason: 'snoozed' }]);
    expect((await get('notifications', bob)).body.data).toMatchObject([{ snoozed_until: inHours(49) }]);

    // Two days later the next stage is reached, but the snooze lasts.
    clock.advance(2 * DAY);
    expect(await check()).toMatchObject({ staged: 0, repeated: 1, notifications: 0 });
    clock.advance(HOUR);
    expect((await get('alerts', bob)).body.data).toMatchObject([{ snoozed_until: null }]);
    expect(await check()).toMatchObject({ staged: 1, notifications: 1, deliveries: 1 });
    expect(await check()).toMatchObject({ staged: 0, notifications: 0 });
    expect(await titles()).toHaveLength(2);
    expect(await stored(alert)).toMatchObject({ stage: 3, snoozed_until: null, occurrences: 4 });
  });

  it('V16: the same stage is announced again, although it was announced before', async () => {
    const { alert } = await announced();
    await snooze(alert, bob, inHours(4));
    clock.advance(5 * HOUR);
    expect(await check()).toMatchObject({ staged: 1, notifications: 1, deliveries: 1 });
    // And snoozed again, it is announced again.
    await snooze(alert, bob, inHours(4));
    clock.advance(5 * HOUR);
    expect(await check()).toMatchObject({ staged: 1, notifications: 1 });
    expect(await check()).toMatchObject({ staged: 0, notifications: 0 });
    expect(await titles()).toHaveLength(3);
  });

  it('V16: an acknowledged or resolved alert stays silent after its snooze', async () => {
    const [one, other] = [(await announced()).alert, (await announced()).alert];
    for (const id of [one, other]) await snooze(id, bob, inHours(4));
    await mark('acknowledge', one, bob);
    await mark('resolve', other, bob);
    clock.advance(5 * HOUR);
    expect(await check()).toMatchObject({ facts: 2, staged: 0, notifications: 0 });
  });

  it('V16: undone, it sends what was suppressed', async () => {
    const { alert } = await announced();
    await snooze(alert, bob, inHours(24));
    expect((await snooze(alert, bob, null)).body).toMatchObject({ snoozed_until: null });
    expect(await deliveries()).toEqual([{ state: 'pending', reason: null }]);
    expect(
      await world.sql(`SELECT event, reason FROM delivery_events WHERE tenant_id = $1 ORDER BY id`, [
        tenant.id,
      ]),
    ).toEqual([
      { event: 'suppressed', reason: 'snoozed' },
      { event: 'reset', reason: 'restored' },
    ]);
  });

  it('V16: a fact that clears meanwhile is not announced again', async () => {
    const { alert, deadline } = await announced();
    await snooze(alert, bob, inHours(4));
    await post(`deadlines/${deadline}/complete`, bob);
    clock.advance(5 * HOUR);
    expect(await check()).toMatchObject({ facts: 0, notifications: 0 });
  });

  it('V16: a reported event is announced again to the people who were notified of it', async () => {
    const { body } = await post('events', alice, {
      kind: 'disk.full',
      title: 'Disk full',
      body: 'Make room.',
      severity: 'critical',
      dedupe_key: randomUUID(),
      user_ids: [bob.id],
    });
    await snooze(body.id as string, bob, inHours(4));
    expect(await check()).toMatchObject({ woken: 0 });
    clock.advance(5 * HOUR);
    expect(await check()).toMatchObject({ woken: 1 });
    expect(await check()).toMatchObject({ woken: 0 });
    expect(await titles()).toEqual(['Disk full', 'Disk full']);
    expect(await deliveries()).toEqual([
      { state: 'suppressed', reason: 'snoozed' },
      { state: 'pending', reason: null },
    ]);
    expect(await get('notifications', alice)).toMatchObject({ body: { data: [] } });
  });

  it.each([
    ['none', {}],
    ['the past', { until: '2026-03-30T06:59:59Z' }],
    ['now', { until: MORNING }],
    ['more than 90 days', { until: '2026-06-28T07:00:01Z' }],
    ['the year 2100', { until: '2100-01-01T00:00:00Z' }],
    ['a day that does not exist', { until: '2026-04-31T07:00:00Z' }],
    ['no offset', { until: '2026-03-31T07:00:00' }],
    ['a date', { until: '2026-03-31' }],
    ['a number', { until: 3600 }],
    ['another field', { until: null, for: 'ever' }],
  ])('V16: refuses %s', async (_what, body) => {
    const { alert } = await announced();
    const before = await stored(alert);
    const answer = await mark('snooze', alert, bob, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(await stored(alert)).toEqual(before);
  });
});

describe('V16: who may', () => {
  it.each([
    ['acknowledge', undefined],
    ['unacknowledge', undefined],
    ['snooze', { until: '2026-03-31T07:00:00Z' }],
  ])(
    'V16: %s is for admins and people who were notified; others get the answer of an unknown id',
    async (act, body) => {
      const { alert } = await announced();
      const before = await stored(alert);
      for (const person of [carol, outsider]) {
        const unknown = await mark(act, randomUUID(), person, body);
        expect(unknown.status).toBe(404);
        expect((await mark(act, alert, person, body)).text).toBe(unknown.text);
        expect((await mark(act, 'x', person, body)).text).toBe(unknown.text);
      }
      expect(await stored(alert)).toEqual(before);
      for (const person of [alice, bob]) expect((await mark(act, alert, person, body)).status).toBe(200);
    },
  );

  it('V16: a program may, under no name; a user who was erased has none either', async () => {
    const { alert } = await announced();
    const { body } = await world.http('POST', `/api/v1/tenants/${tenant.id}/api-keys`, {
      token: operator.token,
      body: { name: 'key', scopes: ['watched:write'] },
    });
    const answer = await world.http('POST', `/api/v1/alerts/${alert}/acknowledge`, {
      headers: { 'x-api-key': body.key as string },
    });
    expect(answer.body).toMatchObject({ acknowledged_at: MORNING, acknowledged_by: null });
    await mark('unacknowledge', alert, bob);
    await mark('acknowledge', alert, bob);
    await call('DELETE', `users/${bob.id}`, alice);
    const { data } = (await get('alerts', alice)).body as { data: unknown[] };
    expect(data).toMatchObject([{ acknowledged_at: MORNING, acknowledged_by: null }]);
  });
});
