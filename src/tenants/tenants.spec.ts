import { randomUUID } from 'node:crypto';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { addPerson, addTenant, type Cast, createCast } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { TenantDirectory } from './tenant-directory.js';
import { TenantEvents } from './tenant-events.js';

const clock = new FixedClock('2026-03-02T09:00:00Z');
let world: World;
let cast: Cast;
const changed: string[] = [];

beforeAll(async () => {
  world = await createWorld({ clock, env: { ACCESS_TOKEN_MINUTES: '1440' } });
  cast = await createCast(world);
  world.app.get(TenantEvents, { strict: false }).onSettingsChanged((tx) => {
    changed.push(tx.tenant_id);
    return Promise.resolve();
  });
});

beforeEach(() => {
  changed.length = 0;
});

afterAll(() => world.close());

const operate = (method: string, path = '', body?: unknown) =>
  world.http(method, `/api/v1/tenants${path}`, { token: cast.operator.token, body });

describe('operators', () => {
  it('create tenants, by default French and in Paris', async () => {
    const answer = await operate('POST', '', { slug: 'acme', name: ' Acme ', kind: 'company' });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.any(String),
      slug: 'acme',
      name: 'Acme',
      kind: 'company',
      time_zone: 'Europe/Paris',
      locale: 'fr',
      limit_per_hour: null,
      limit_per_day: null,
      schedule_from: '2026-03-02T09:00:00.000Z',
      suspended_at: null,
      created_at: '2026-03-02T09:00:00.000Z',
      updated_at: '2026-03-02T09:00:00.000Z',
    });
    expect((await operate('GET', `/${answer.body.id}`)).body).toEqual(answer.body);
    const again = await operate('POST', '', { slug: 'acme', name: 'Another', kind: 'cabinet' });
    expect([again.status, again.body.code]).toEqual([409, 'conflict']);
  });

  it('get each fault with its place', async () => {
    const faults: [object, string][] = [
      [{ slug: 'Acme' }, '/slug'],
      [{ slug: '-a' }, '/slug'],
      [{ slug: 'a'.repeat(64) }, '/slug'],
      [{ slug: 'a\n' }, '/slug'],
      [{ name: '' }, '/name'],
      [{ name: 'x'.repeat(201) }, '/name'],
      [{ name: 'a\u0000b' }, '/name'],
      [{ name: 'a\ud800b' }, '/name'],
      [{ name: 5 }, '/name'],
      [{ kind: 'club' }, '/kind'],
      [{ time_zone: 'Europe/Atlantis' }, '/time_zone'],
      [{ time_zone: '+02:00' }, '/time_zone'],
      [{ locale: 'de' }, '/locale'],
      [{ suspended: true }, '/suspended'],
    ];
    for (const [fault, pointer] of faults) {
      const answer = await operate('POST', '', { slug: 'fine', name: 'Fine', kind: 'cabinet', ...fault });
      expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
    }
    expect(await world.sql(`SELECT 1 FROM tenants WHERE slug = 'fine'`)).toHaveLength(0);
  });

  it('list them in pages', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ limit: '2', ...(cursor === null ? {} : { cursor }) });
      const { body } = await operate('GET', `?${query.toString()}`);
      expect(body.data.length).toBeLessThanOrEqual(2);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor;
    } while (cursor !== null);
    const all = await world.sql<{ id: string }>(`SELECT id FROM tenants ORDER BY id DESC`);
    expect(seen).toEqual(all.map(({ id }) => id));
    expect((await operate('GET', '?cursor=nonsense')).body.code).toBe('invalid_cursor');
  });

  it('change only the given fields', async () => {
    const tenant = await addTenant(world);
    const before = (await operate('GET', `/${tenant.id}`)).body;
    expect((await operate('PATCH', `/${tenant.id}`, {})).body).toEqual(before);
    clock.advance(1_000);
    const renamed = await operate('PATCH', `/${tenant.id}`, { name: 'New name' });
    expect(renamed.body).toEqual({ ...before, name: 'New name', updated_at: clock.now().toISOString() });
    expect(changed).toEqual([]);
    for (const [body, pointer] of [
      [{ name: null }, '/name'],
      [{ time_zone: null }, '/time_zone'],
      [{ slug: 'other' }, '/slug'],
      [{ suspended: 'yes' }, '/suspended'],
      [{ limit_per_hour: -1 }, '/limit_per_hour'],
      [{ limit_per_day: 1.5 }, '/limit_per_day'],
    ]) {
      const answer = await operate('PATCH', `/${tenant.id}`, body);
      expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
    }
    const moved = await operate('PATCH', `/${tenant.id}`, { time_zone: 'America/New_York' });
    // The ledger records what has run: a change of the zone needs no marker.
    expect(moved.body.schedule_from).toBe(before.schedule_from);
    expect(changed).toEqual([tenant.id]);
  });

  it('E6: limit what a tenant sends, and return to the limits of the installation', async () => {
    const tenant = await addTenant(world);
    const limited = await operate('PATCH', `/${tenant.id}`, { limit_per_hour: 0, limit_per_day: 200 });
    expect(limited.body).toMatchObject({ limit_per_hour: 0, limit_per_day: 200 });
    // What waits for the old limit is decided again.
    expect(changed).toEqual([tenant.id]);
    const freed = await operate('PATCH', `/${tenant.id}`, { limit_per_hour: null });
    expect(freed.body).toMatchObject({ limit_per_hour: null, limit_per_day: 200 });
  });

  it('suspend and resume: slots missed meanwhile are not owed', async () => {
    const tenant = await addTenant(world);
    const revoked: unknown[] = [];
    world.app.get(WakeUps).on('access.revoked', (message) => revoked.push(message));
    const suspendedAt = clock.now().toISOString();
    expect((await operate('PATCH', `/${tenant.id}`, { suspended: true })).body.suspended_at).toBe(
      suspendedAt,
    );
    await until('the wake-up', () => revoked.length > 0);
    expect(revoked).toEqual([{ tenant_id: tenant.id }]);
    clock.advance(3_600_000);
    // Repeating it changes nothing.
    expect((await operate('PATCH', `/${tenant.id}`, { suspended: true })).body.suspended_at).toBe(
      suspendedAt,
    );
    const resumed = (await operate('PATCH', `/${tenant.id}`, { suspended: false })).body;
    expect(resumed).toMatchObject({ suspended_at: null, schedule_from: clock.now().toISOString() });
    expect(changed).toEqual([tenant.id, tenant.id]);
  });

  it('delete only suspended tenants, with everything they own', async () => {
    const tenant = await addTenant(world);
    const user = await addPerson(world, tenant.id, { name: 'Hugo', role: 'admin' });
    await world.sql(
      `WITH alert AS (
         INSERT INTO alerts (tenant_id, kind, severity, source_type, dedupe_key, first_seen_at, last_seen_at)
         VALUES ($1, 'event', 'info', 'event', 'k', now(), now()) RETURNING id)
       INSERT INTO notifications (tenant_id, recipient, user_id, alert_id, dedupe_key, kind, severity, audience, created_at)
       SELECT $1, 'user:' || $2, $2::uuid, alert.id, 'k', 'event', 'info', 'self', now() FROM alert`,
      [tenant.id, user.id],
    );
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'D', '2026-04-01', $2)`,
      [tenant.id, user.id],
    );
    const early = await operate('DELETE', `/${tenant.id}`);
    expect([early.status, early.body.code]).toEqual([409, 'conflict']);
    await operate('PATCH', `/${tenant.id}`, { suspended: true });
    expect((await operate('DELETE', `/${tenant.id}`)).status).toBe(204);
    for (const table of ['users', 'sessions', 'alerts', 'notifications', 'deadlines']) {
      expect(await world.sql(`SELECT 1 FROM ${table} WHERE tenant_id = $1`, [tenant.id])).toHaveLength(0);
    }
    expect((await world.http('GET', '/api/v1/me', { token: user.token })).status).toBe(401);
    expect((await world.http('GET', '/api/v1/me', { token: cast.admin.token })).status).toBe(200);
  });

  it('get the same 404 for an unknown tenant, whatever the id looks like', async () => {
    const unknown = await operate('GET', `/${randomUUID()}`);
    expect(unknown.status).toBe(404);
    for (const id of [randomUUID(), 'x', '1', '%00']) {
      for (const [method, body] of [['GET'], ['PATCH', { name: 'X' }], ['DELETE']] as const) {
        expect((await operate(method, `/${id}`, body)).text).toBe(unknown.text);
      }
    }
  });
});

it('finds tenants by slug and id, and sees a suspension at once', async () => {
  const directory = world.app.get(TenantDirectory, { strict: false });
  const { id, slug } = await addTenant(world);
  expect(await directory.bySlug(slug)).toMatchObject({ id, slug, suspended_at: null });
  await operate('PATCH', `/${id}`, { suspended: true });
  expect((await directory.byId(id))?.suspended_at).toEqual(clock.now());
  expect(await directory.bySlug('nobody')).toBeNull();
  expect(await directory.byId(randomUUID())).toBeNull();
});
