import type pg from 'pg';
import { addPerson, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { insertRow } from '../../../test/support/rows.js';
import { insertBacklog } from '../../../test/support/backlog.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Database } from '../../platform/database/database.js';
import { countedPage } from '../../platform/lists/counted-page.js';
import { notify } from '../alerts/notify.fixture.js';
import type { TenantDeliveriesQuery, TenantDelivery } from './tenant-deliveries.dto.js';
import { DELIVERY_ORDERS, type DeliveryReader, deliveryRows, NEWEST_FIRST } from './tenant-deliveries.sql.js';

let world: World;
let cast: Cast;
let claire: Person;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  claire = await addPerson(world, cast.tenant_id, { name: 'Éléonore' });
  await notify(world, cast.admin, { title: 'Relance Dupont' });
  await notify(world, claire, { title: '100 % "faits"' });
  await notify(world, cast.outsider, { title: 'Ailleurs' });
});
afterAll(() => world.close());

const list = async (query = '', { token } = cast.admin) => {
  const { status, body } = await world.http('GET', `/api/v1/tenant/deliveries?count=true${query}`, { token });
  expect(status).toBe(200);
  return body as { data: TenantDelivery[]; next_cursor: string | null; count: number };
};
const trace = (id: string, token: string) =>
  world.http('GET', `/api/v1/notifications/${id}/trace`, { token });

it('C10: admins list and count the deliveries of the tenant, members their own', async () => {
  const all = await list();
  expect(all.count).toBe(all.data.length);
  expect(new Set(all.data.map(({ recipient_name }) => recipient_name))).toEqual(
    new Set(['Alice', 'Éléonore']),
  );
  const own = await list('', claire);
  expect(own.count).toBeGreaterThan(0);
  expect(own.data.every(({ user_id }) => user_id === claire.id)).toBe(true);
  expect((await list('', cast.teammate)).count).toBe(0);
});

it('C10: each filter finds its rows, and the search takes signs as they are', async () => {
  for (const q of ['eleonore', '% "FAITS', claire.email]) {
    const { data } = await list(`&q=${encodeURIComponent(q)}`);
    expect([q, [...new Set(data.map(({ user_id }) => user_id))]]).toEqual([q, [claire.id]]);
  }
  // Names of fields, JSON syntax and escaped line breaks are not texts of the fact.
  await notify(world, claire, { title: 'Deux lignes', body: 'Madame,\nbonjour' });
  for (const [q, found] of [
    ['title', false],
    ['[', false],
    ['", "', false],
    ['nbonjour', false],
    ['madame,', true],
    ['bonjour', true],
  ] as const)
    expect([q, (await list(`&q=${encodeURIComponent(q)}`)).count > 0]).toEqual([q, found]);
  expect((await list(`&user_id=${claire.id}&kind=event`)).count).toBe((await list('&q=eleonore')).count);
  expect((await list('&kind=welcome')).count).toBe(0);
  expect((await list('&since=2100-01-01T00:00:00Z')).count).toBe(0);
  const { count } = await list('&until=2100-01-01T00:00:00Z');
  const states = ['pending', 'queued', 'sending', 'sent', 'failed', 'suppressed', 'cancelled', 'unknown'];
  let sum = 0;
  for (const state of states) sum += (await list(`&state=${state}`)).count;
  expect(sum).toBe(count);
  await world.sql(
    `UPDATE deliveries SET state = 'suppressed', reason = 'preference', ended_at = now()
     WHERE id = (SELECT min(id::text)::uuid FROM deliveries WHERE tenant_id = $1 AND channel = 'email')`,
    [cast.tenant_id],
  );
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const ended = `&state=suppressed&reason=preference&to=people&ended_since=`;
  expect((await list(ended + hourAgo)).count).toBe(1);
  expect((await list(`${ended}2100-01-01T00:00:00Z`)).count).toBe(0);
  expect((await list('&reason=expired')).count).toBe(0);
  const [people, webhooks] = [await list('&to=people'), await list('&to=webhooks')];
  expect(people.count + webhooks.count).toBe((await list()).count);
});

it('C10: pages of every order are complete and without repetitions', async () => {
  const { count } = await list();
  for (const sort of ['created', '-created', 'due_at', '-due_at', 'recipient', '-recipient']) {
    const ids: string[] = [];
    let cursor = '';
    do {
      const page = await list(`&sort=${sort}&limit=1${cursor}`);
      ids.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
    } while (cursor !== '');
    expect([sort, new Set(ids).size]).toEqual([sort, count]);
  }
});

it('C10: the trace of an alert says what it is about, why, who else got it, and what happened to each', async () => {
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on) VALUES ($1, 'TVA CA3', current_date + 3)`,
    [cast.tenant_id],
  );
  const bruno = await addPerson(world, cast.tenant_id, { name: 'Bruno', role: 'admin' });
  const hook = 'https://hooks.example/notices';
  await insertRow(world, 'webhook_endpoints', {
    ...{ tenant_id: cast.tenant_id, url: 'encrypted', url_shown: hook, format: 'slack' },
    ...{ state_since: new Date(), created_at: new Date() },
  });
  await runJob(world, cast.tenant_id, 'check-notifications');
  const [row] = (await list(`&q=tva ca3&user_id=${cast.admin.id}`)).data;
  await world.sql(
    `INSERT INTO delivery_events (tenant_id, delivery_id, event, attempt, reason, until, error, at)
     VALUES ($1, $2, 'retried', 1, 'retry', now() + interval '5 min', '451 try later', now())`,
    [cast.tenant_id, row!.id],
  );
  const { body, status } = await trace(row!.notification_id, cast.admin.token);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    kind: 'deadline_near',
    item: { type: 'deadline' },
    audience: 'unassigned',
    recipient_name: 'Alice',
    others: [
      { recipient_name: 'Bruno', user_id: bruno.id, audience: 'unassigned' },
      { recipient_name: hook, user_id: null, audience: 'endpoint' },
    ],
  });
  expect((await list('&channel=webhook')).data).toMatchObject([{ recipient_name: hook }]);
  const traced = body.deliveries.find(({ id }: { id: string }) => id === row!.id);
  expect(traced.history).toEqual([
    expect.objectContaining({ event: 'retried', attempt: 1, error: '451 try later' }),
  ]);
  // Another admin may read it; members, and admins of other tenants, not.
  expect((await trace(row!.notification_id, bruno.token)).status).toBe(200);
  for (const { token } of [cast.teammate, cast.outsider])
    expect((await trace(row!.notification_id, token)).status).toBe(404);
});

describe('a search among 20,000 deliveries', () => {
  const SEARCHED = 1_000;
  let tenantId: string;

  beforeAll(async () => {
    const client = {
      query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => ({
        rows: await world.sql<Row>(text, values),
      }),
    };
    const [id] = await insertBacklog(client, { prefix: 'long', tenants: 1, deliveries: 20_000 });
    tenantId = id!;
  });

  /** A page with its count, and the plan of its statement with the rows that it read. */
  const search = (query: Partial<TenantDeliveriesQuery>, memberId: string | null = null) =>
    world.app.get(Database).tenant(tenantId, async (tx) => {
      const reader: DeliveryReader =
        memberId === null
          ? { tenant_id: tenantId, role: 'admin', user_id: null, principal: 'key:x' }
          : { tenant_id: tenantId, role: 'member', user_id: memberId, principal: `user:${memberId}` };
      let plan = '';
      const explained: Pick<typeof tx, 'query'> = {
        query: async <Row>(...[sql, values]: Parameters<typeof tx.query>) => {
          const lines = await tx.query<Record<string, string>>(
            `EXPLAIN (ANALYZE, TIMING OFF) ${sql as string}`,
            values,
          );
          plan = lines.flatMap((line) => Object.values(line)).join('\n');
          return tx.query<Row>(sql, values);
        },
      };
      const list = {
        columns: 'd.id',
        orders: DELIVERY_ORDERS,
        maxCount: SEARCHED,
        ...deliveryRows(reader, query, SEARCHED),
      };
      const page = await countedPage<{ id: string }>(explained, list, {
        limit: 50,
        count: true,
        sort: query.sort ?? NEWEST_FIRST,
      });
      return { ...page, plan };
    });

  it('P11: reads only the newest ones by the index, with and without a hit', async () => {
    for (const [q, count] of [
      ['message', SEARCHED],
      ['nowhere', 0],
    ] as const) {
      const { plan, ...found } = await search({ q });
      expect([q, found.count, found.data.length]).toEqual([q, count, Math.min(count, 50)]);
      expect(plan).toContain('deliveries_pkey');
      expect(plan).not.toContain('Seq Scan on deliveries');
      // No more rows than are searched, for the page and for its count.
      const read = rowsRead(plan);
      expect(read.length).toBeGreaterThan(1);
      expect(Math.max(...read)).toBeLessThanOrEqual(SEARCHED);
    }
  });

  it('counts up to a limit, and still pages through all', async () => {
    const { plan, ...page } = await search({});
    expect([page.count, page.data.length]).toEqual([SEARCHED, 50]);
    expect(page.next_cursor).not.toBeNull();
    expect(Math.max(...rowsRead(plan))).toBeLessThanOrEqual(SEARCHED);
  });

  it.each(['due_at', '-due_at', 'recipient', '-recipient'])(
    'sorts the newest of them by %s',
    async (sort) => {
      const { plan, ...page } = await search({ sort });
      expect([page.count, page.data.length]).toEqual([SEARCHED, 50]);
      const read = rowsRead(plan);
      expect(read.length).toBeGreaterThan(1);
      expect(Math.max(...read)).toBeLessThanOrEqual(SEARCHED);
    },
  );

  it('P11: searches older ones with `until`, without reading the newer ones', async () => {
    const old = await world.sql<{ id: string }>(
      `UPDATE deliveries SET created_at = now() - interval '40 days', id = (${DAYS_AGO})::uuid
       WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT id FROM deliveries WHERE tenant_id = $1 ORDER BY id LIMIT 3))
       RETURNING id`,
      [tenantId],
    );
    const ids = old.map(({ id }) => id).sort();
    expect((await search({ q: 'message' })).data.map(({ id }) => id)).not.toContain(ids[0]);
    const until = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const found = await search({ q: 'message', until });
    expect(found.data.map(({ id }) => id).sort()).toEqual(ids);
    expect(Math.max(...rowsRead(found.plan))).toBe(3);
    // The range of ids has a margin of a day; within it, `created_at` decides.
    const [earliest] = await world.sql<{ id: string; until: Date }>(
      `UPDATE deliveries SET created_at = created_at - interval '1 hour' WHERE tenant_id = $1 AND id = $2
       RETURNING id, created_at + interval '1 minute' AS until`,
      [tenantId, ids[0]],
    );
    const exact = await search({ q: 'message', until: earliest!.until.toISOString() });
    expect(exact.data.map(({ id }) => id)).toEqual([earliest!.id]);
  });

  it('P11: finds a member’s old ones, and old ones that match other filters', async () => {
    const person = await addPerson(world, tenantId, { name: 'Olga' });
    const [own] = await world.sql<{ id: string }>(
      `WITH oldest AS (SELECT id, notification_id FROM deliveries WHERE tenant_id = $1 ORDER BY id LIMIT 1),
       theirs AS (UPDATE notifications n SET user_id = $2::uuid, recipient = 'user:' || $2::uuid FROM oldest
                  WHERE n.tenant_id = $1 AND n.id = oldest.notification_id)
       UPDATE deliveries d SET reason = 'preference' FROM oldest
       WHERE d.tenant_id = $1 AND d.id = oldest.id RETURNING d.id`,
      [tenantId, person.id],
    );
    expect((await search({ q: 'message' }, person.id)).data).toEqual([own]);
    expect((await search({ q: 'message', user_id: person.id })).data).toEqual([own]);
    expect((await search({ q: 'message', reason: 'preference' })).data).toEqual([own]);
    expect((await search({ q: 'nowhere', reason: 'preference' })).count).toBe(0);
  });
});

/** SQL for the id of a row as if created 40 days ago: the first 48 bits of an id are its time. */
const DAYS_AGO = `lpad(to_hex((extract(epoch FROM now() - interval '40 days') * 1000)::bigint), 12, '0')
  || substr(replace(id::text, '-', ''), 13)`;

/** How many rows each scan of deliveries in a plan read, including those that its filter removed. */
function rowsRead(plan: string): number[] {
  return plan.split('->').flatMap((node) => {
    const rows = /on deliveries .*\(actual rows=(\d+)/.exec(node)?.[1];
    const removed = /Rows Removed by Filter: (\d+)/.exec(node)?.[1];
    return rows === undefined ? [] : [Number(rows) + Number(removed ?? 0)];
  });
}
