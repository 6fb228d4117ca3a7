import { randomUUID } from 'node:crypto';
import { addPerson, addTenant, type CastTenant, type Person } from '../../../test/support/cast.js';
import { insertRow } from '../../../test/support/rows.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00.000Z';
const SOON = '2026-03-30T07:05:00.000Z';
const IN_A_DAY = '2026-03-31T07:00:00.000Z';

const clock = new FixedClock(MORNING);
let world: World;
let tenant: CastTenant;
/** An admin, the member who is responsible for the deadlines, another member, the admin of another tenant. */
let alice: Person;
let bob: Person;
let carol: Person;
let outsider: Person;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
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

type Who = Pick<Person, 'token'>;
const get = (path: string, { token }: Who = alice) => world.http('GET', `/api/v1/${path}`, { token });
const act = (name: string, body: unknown, { token }: Who = alice) =>
  world.http('POST', `/api/v1/alerts/${name}`, { token, body });
const listed = async (query: string, who: Who = alice) =>
  (await get(`alerts?${query}`, who)).body as { data: Record<string, unknown>[]; count?: number };
const titles = async (query: string) => (await listed(query)).data.map(({ title }) => title);
const states = () => world.sql('SELECT state, reason FROM deliveries WHERE tenant_id = $1', [tenant.id]);

/** Deadlines of Bob's, with their alerts. @returns the alerts' ids */
async function announced(...names: string[]): Promise<string[]> {
  for (const title of names) {
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, client_name, due_on, responsible_id)
       VALUES ($1, $2, 'Société Évreux', '2026-04-04', $3)`,
      [tenant.id, title, bob.id],
    );
  }
  await runJob(world, tenant.id, 'check-notifications');
  const alerts = await world.sql<{ id: string }>(
    `SELECT id FROM alerts WHERE tenant_id = $1 ORDER BY data ->> 'title'`,
    [tenant.id],
  );
  return alerts.map(({ id }) => id);
}

describe('V16: a list of alerts', () => {
  it('V16: has four states, which are filters, and a count', async () => {
    const [open, , handled, ended] = await announced('A open', 'B snoozed', 'C acknowledged', 'D resolved');
    const [, later] = await announced();
    await act(`${later!}/snooze`, { until: SOON });
    await act(`${handled!}/acknowledge`, undefined);
    await act(`${ended!}/resolve`, undefined);
    for (const [state, id] of Object.entries({
      open,
      snoozed: later,
      acknowledged: handled,
      resolved: ended,
    })) {
      const { data, count } = await listed(`state=${state}&count=true`);
      expect([state, count, data.map((alert) => [alert.id, alert.state])]).toEqual([state, 1, [[id, state]]]);
    }
    expect(await listed('count=true&limit=1')).toMatchObject({ count: 4 });
    clock.set(SOON);
    expect((await listed('state=snoozed&count=true')).count).toBe(0);
    expect((await listed('state=open&count=true')).count).toBe(2);
  });

  it('V16: finds by a part of a name without accents, by source, severity and time, worst first', async () => {
    const [first] = await announced('TVA CA3', 'Bilan');
    await world.sql(`UPDATE alerts SET severity = 'critical' WHERE id = $1`, [first]);
    const [{ source_id }] = (await world.sql('SELECT source_id FROM alerts WHERE id = $1', [first])) as [
      { source_id: string },
    ];
    expect(await titles('q=ca3')).toEqual([expect.stringContaining('TVA CA3')]);
    expect(await titles('q=evreux')).toHaveLength(2);
    expect(await titles('q=%25')).toEqual([]);
    expect(await titles(`source_type=deadline&source_id=${source_id}`)).toHaveLength(1);
    expect(await titles(`source_id=${randomUUID()}`)).toEqual([]);
    expect(await titles('severity=critical')).toHaveLength(1);
    const worst = (await listed('sort=-severity')).data.map(({ severity }) => severity);
    expect(worst[0]).toBe('critical');
    expect((await listed(`since=${MORNING}&count=true`)).count).toBe(2);
    expect((await listed(`until=${MORNING}&count=true`)).count).toBe(0);
    const page = (await get('alerts?sort=-severity&limit=1')).body as { next_cursor: string };
    expect(await titles(`sort=-severity&limit=1&cursor=${page.next_cursor}`)).toHaveLength(1);
    for (const bad of ['state=gone', 'sort=title', 'since=2026-03-30', 'source_id=x', 'count=1', 'q='])
      expect([bad, (await get(`alerts?${bad}`)).status]).toEqual([bad, 400]);
  });
});

describe('V16: acts on many alerts', () => {
  it('V16: acknowledges by ids, once, with the marks in the feeds and without the waiting messages', async () => {
    const ids = await announced('A', 'B', 'C');
    expect(await act('acknowledge', { ids: ids.slice(0, 2) })).toMatchObject({
      status: 200,
      body: { changed: 2 },
    });
    expect((await act('acknowledge', { ids }, bob)).body).toEqual({ changed: 1 });
    expect((await listed('state=acknowledged')).data.map(({ acknowledged_by }) => acknowledged_by)).toEqual(
      expect.arrayContaining(['Alice', 'Alice', 'Bob']),
    );
    const feed = (await get('notifications', bob)).body.data as { acknowledged_by: string }[];
    expect(feed.map(({ acknowledged_by }) => acknowledged_by).sort()).toEqual(['Alice', 'Alice', 'Bob']);
    expect(await states()).toEqual(Array(3).fill({ state: 'suppressed', reason: 'acknowledged' }));
    expect((await act('acknowledge', { ids: [] })).body).toEqual({ changed: 0 });
  });

  it('V16: snoozes all of a filter, if their number is as shown', async () => {
    await announced('TVA A', 'TVA B', 'Bilan');
    const body = { filter: { q: 'tva', state: 'open' }, until: IN_A_DAY };
    const refused = await act('snooze', { ...body, count: 3 });
    expect([refused.status, refused.body.code]).toEqual([409, 'count_changed']);
    expect((await listed('state=snoozed')).data).toEqual([]);
    expect((await act('snooze', { ...body, count: 2 })).body).toEqual({ changed: 2 });
    expect((await listed('state=snoozed&q=tva&count=true')).count).toBe(2);
    expect((await act('snooze', { ...body, count: 2 })).body).toMatchObject({ code: 'count_changed' });
    // Ending the snooze sends what it has suppressed.
    const undo = { filter: { state: 'snoozed' }, count: 2, until: null };
    expect((await act('snooze', undo)).body).toEqual({ changed: 2 });
    expect(await states()).toEqual(Array(3).fill({ state: 'pending', reason: null }));
  });

  it('V16: resolves many; reported events end', async () => {
    const ids = await announced('A', 'B');
    const event = (await world.http('POST', '/api/v1/events', {
      token: alice.token,
      body: {
        kind: 'disk.full',
        title: 'Disk full',
        body: 'Make room.',
        dedupe_key: randomUUID(),
        severity: 'critical',
        user_ids: [alice.id],
      },
    })) as { body: { id: string } };
    expect((await act('resolve', { ids: [...ids, event.body.id, randomUUID()] })).body).toEqual({
      changed: 3,
    });
    expect((await act('resolve', { ids })).body).toEqual({ changed: 0 });
    const { data } = await listed('state=resolved');
    expect(data.map(({ resolved_by }) => resolved_by)).toEqual(['Alice', 'Alice', 'Alice']);
    expect(data.filter(({ gone_at }) => gone_at !== null).map(({ id }) => id)).toEqual([event.body.id]);
  });

  it('V16: changes no alerts of another tenant, and none that a member was not notified of', async () => {
    const ids = await announced('A', 'B');
    for (const name of ['acknowledge', 'resolve'])
      expect((await act(name, { ids }, outsider)).body).toEqual({ changed: 0 });
    expect((await act('snooze', { ids, until: IN_A_DAY }, outsider)).body).toEqual({ changed: 0 });
    expect((await act('acknowledge', { filter: {}, count: 0 }, outsider)).body).toEqual({ changed: 0 });
    // Carol sees them, but was notified of none.
    expect((await listed('count=true', carol)).count).toBe(2);
    expect((await act('acknowledge', { filter: {}, count: 2 }, carol)).body).toEqual({ changed: 0 });
    expect((await listed('state=open&count=true')).count).toBe(2);
    for (const body of [
      {},
      { ids, filter: {} },
      { filter: {} },
      { ids, count: 2 },
      { ids: ['x'] },
      { ids: 1 },
    ])
      expect([body, (await act('resolve', body)).status]).toEqual([body, 400]);
    for (const until of [MORNING, undefined, 'x', '2027-03-30T07:00:00Z'])
      expect([until, (await act('snooze', { ids, until })).status]).toEqual([until, 400]);
    expect((await act('resolve', { ids: Array(1_001).fill(randomUUID()) })).status).toBe(400);
  });

  it('V16: two people who act on the same alerts at once both succeed, and each alert changes once', async () => {
    const ids = await announced('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H');
    const results = await Promise.all([
      act('acknowledge', { ids }),
      act('acknowledge', { ids: [...ids].reverse() }, bob),
      act('snooze', { ids, until: IN_A_DAY }),
    ]);
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((results[0].body.changed as number) + (results[1].body.changed as number)).toBe(8);
    expect(results[2].body.changed).toBe(8);
  });
});

describe('V16: the detail of an alert', () => {
  it('V16: has its text, who was notified, and what happened to each message', async () => {
    const [id] = await announced('TVA CA3');
    const { status, body } = await get(`alerts/${id}`, carol);
    expect([status, body]).toMatchObject([
      200,
      {
        id,
        state: 'open',
        body: expect.stringContaining('samedi 4 avril') as string,
        notified: [
          {
            name: 'Bob',
            recipient: `user:${bob.id}`,
            notified_at: MORNING,
            deliveries: [
              { channel: 'email', status: 'pending', status_label: 'en attente', error: null, sent_at: null },
            ],
          },
        ],
      },
    ]);
    expect((await get(`alerts/${id}`, outsider)).text).toBe(
      (await get(`alerts/${randomUUID()}`, outsider)).text,
    );
  });

  it('V16: shows bare addresses and errors to admins, not to members', async () => {
    const [id] = await announced('TVA CA3');
    await world.sql(
      `UPDATE notifications SET user_id = NULL, recipient = 'mailto:it@client.example' WHERE alert_id = $1`,
      [id],
    );
    await world.sql(`UPDATE deliveries SET error = '550 it@client.example unknown' WHERE tenant_id = $1`, [
      tenant.id,
    ]);
    const of = async (who: Who) => (await get(`alerts/${id}`, who)).body.notified;
    expect(await of(alice)).toMatchObject([
      {
        name: null,
        recipient: 'mailto:it@client.example',
        deliveries: [{ error: '550 it@client.example unknown' }],
      },
    ]);
    expect(await of(bob)).toMatchObject([{ name: null, recipient: null, deliveries: [{ error: null }] }]);
  });

  it('V19: names a webhook by its shown URL to admins, not to members', async () => {
    await insertRow(world, 'webhook_endpoints', {
      ...{ tenant_id: tenant.id, url: 'encrypted', url_shown: 'https://hooks.example/...', format: 'slack' },
      ...{ state_since: MORNING, created_at: MORNING },
    });
    const [id] = await announced('TVA CA3');
    const namesFor = async (who: Who) => {
      const { notified } = (await get(`alerts/${id}`, who)).body as { notified: { name: string | null }[] };
      return notified.map(({ name }) => name).toSorted();
    };
    expect(await namesFor(alice)).toEqual(['Bob', 'https://hooks.example/...']);
    expect(await namesFor(bob)).toEqual(['Bob', null]);
  });
});
