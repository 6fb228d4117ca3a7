import { randomUUID } from 'node:crypto';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { newPeople, type People } from './notify.fixture.js';

const NOW = '2026-03-02T08:00:00.000Z';

let world: World;
let cast: People;
let clock: FixedClock;

beforeAll(async () => {
  clock = new FixedClock(NOW);
  world = await createWorld({ clock });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  cast = await newPeople(world);
});

async function alert(tenantId: string, kind: string, seen: string): Promise<string> {
  const [row] = await world.sql<{ id: string }>(
    `INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, data, first_seen_at,
                         last_seen_at)
     VALUES ($1, $2, 'warning', 'deadline', $3, $4, '{"title": "TVA CA3", "due_on": "2026-03-09"}', $5, $5) RETURNING id`,
    [tenantId, kind, randomUUID(), `deadline:${randomUUID()}`, seen],
  );
  return row!.id;
}

const list = async (query = '', person = cast.teammate) =>
  world.http('GET', `/api/v1/alerts${query}`, { token: person.token });
const resolve = (id: string, person = cast.owner) =>
  world.http('POST', `/api/v1/alerts/${id}/resolve`, { token: person.token });

it('lists a tenant’s alerts, last seen first, in pages', async () => {
  const ids = [];
  for (const day of ['01', '02', '02', '02', '03']) {
    ids.unshift(await alert(cast.owner.tenant_id, 'deadline_near', `2026-03-${day}T09:00:00Z`));
  }
  await alert(cast.outsider.tenant_id, 'deadline_near', NOW);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const { body, status } = await list(`?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    seen.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.next_cursor;
  } while (cursor !== null);
  expect([...seen].sort()).toEqual([...ids].sort());
  expect([seen[0], seen.at(-1)]).toEqual([ids[0], ids.at(-1)]);
});

it('filters by state and kind', async () => {
  const near = await alert(cast.owner.tenant_id, 'deadline_near', NOW);
  const late = await alert(cast.owner.tenant_id, 'tasks_overdue', NOW);
  await resolve(late);
  const listed = async (query: string) => (await list(query)).body.data.map(({ id }: { id: string }) => id);
  expect(await listed('?state=open')).toEqual([near]);
  expect(await listed('?state=resolved')).toEqual([late]);
  expect(await listed('?kind=deadline_near')).toEqual([near]);
  for (const query of ['?state=gone', '?kind=gossip', '?cursor=x'])
    expect((await list(query)).status).toBe(400);
});

it('is resolved once: silenced, not ended', async () => {
  const id = await alert(cast.owner.tenant_id, 'deadline_near', NOW);
  const first = await resolve(id);
  expect(first.status).toBe(200);
  expect(first.body).toMatchObject({
    id,
    state: 'resolved',
    resolved_at: NOW,
    resolved_by: cast.owner.name,
    gone_at: null,
  });
  clock.advance(60_000);
  expect((await resolve(id, cast.teammate)).text).toBe(first.text);
});

it('answers 404 for another tenant’s alert, as for an unknown one', async () => {
  const id = await alert(cast.owner.tenant_id, 'deadline_near', NOW);
  const unknown = await resolve(randomUUID(), cast.outsider);
  expect(unknown.status).toBe(404);
  expect((await resolve(id, cast.outsider)).text).toBe(unknown.text);
  expect((await resolve('x', cast.outsider)).text).toBe(unknown.text);
  expect((await list('', cast.outsider)).body.data).toEqual([]);
  expect(await world.sql('SELECT state FROM alerts WHERE id = $1', [id])).toEqual([{ state: 'open' }]);
});
