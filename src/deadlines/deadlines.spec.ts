import { type Cast, createCast } from '../../test/support/cast.js';
import { runJob } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const NOW = '2026-03-30T07:00:00Z';

describe('deadlines', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld({ clock });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  afterEach(() => world.sql(`DELETE FROM deadlines`));

  const call = (method: string, rest: string, body?: unknown) =>
    world.http(method, `/api/v1/deadlines${rest}`, { token: cast.teammate.token, body });

  async function create(fields: Record<string, unknown>): Promise<string> {
    const answer = await call('POST', '', { title: 'TVA CA3', due_on: '2026-04-02', ...fields });
    expect(answer.status).toBe(201);
    return (answer.body as { id: string }).id;
  }

  it('have a category, which lists can be filtered by', async () => {
    const id = await create({ category: 'tva' });
    await create({ category: 'dsn' });
    await create({});
    const listed = (await call('GET', '?category=tva')).body as { data: { id: string; category: string }[] };
    expect(listed.data).toMatchObject([{ id, category: 'tva' }]);
    expect((await call('PATCH', `/${id}`, { category: null })).body).toMatchObject({ category: null });
    expect((await call('PATCH', `/${id}`, { category: 'x'.repeat(51) })).status).toBe(400);
  });

  it('T7: are announced once per date, even when done and reopened in between', async () => {
    const id = await create({ responsible_id: cast.teammate.id });
    const check = async () => (await runJob(world, cast.tenant_id, 'check-notifications')).notifications;
    expect(await check()).toBe(1);
    expect(await check()).toBe(0);

    await call('POST', `/${id}/complete`);
    expect(await check()).toBe(0);
    await call('POST', `/${id}/reopen`);
    // This installation sends no mail: the notification is already in the feed.
    expect(await check()).toBe(0);

    await call('PATCH', `/${id}`, { title: 'TVA CA3 mars' });
    expect(await check()).toBe(0);
    await call('PATCH', `/${id}`, { due_on: '2026-04-01' });
    expect(await check()).toBe(1);
    await call('PATCH', `/${id}`, { due_on: '2026-06-01' });
    expect(await check()).toBe(0);
  });
});
