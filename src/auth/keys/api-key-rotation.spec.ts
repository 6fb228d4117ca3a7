import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';

const NOW = '2026-03-02T09:00:00Z';
const clock = new FixedClock(NOW);
let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ clock, env: { ACCESS_TOKEN_MINUTES: '1440' } });
  cast = await createCast(world);
});
beforeEach(() => clock.set(NOW));
afterAll(() => world.close());

interface Key {
  id: string;
  key: string;
  rotated_at: string | null;
  previous_until: string | null;
}

async function newKey(fields: object = {}): Promise<Key> {
  const { status, body } = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'Key', scopes: ['users:read'], ...fields },
  });
  expect(status).toBe(201);
  return body as Key;
}

const rotate = (id: string, body?: object, tenantId = cast.tenant_id) =>
  world.http('POST', `/api/v1/tenants/${tenantId}/api-keys/${id}/rotate`, {
    token: cast.operator.token,
    body,
  });

async function rotated(id: string, body?: object): Promise<Key> {
  const answer = await rotate(id, body);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.body as Key;
}

const statusOf = async (key: string) =>
  (await world.http('GET', '/api/v1/users', { headers: { 'x-api-key': key } })).status;

describe('a rotated key', () => {
  it('has a new secret, shown once, and the old one works for a day', async () => {
    const { id, key: old } = await newKey();
    const answer = await rotate(id);
    const { key } = answer.body as Key;
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(key).toMatch(new RegExp(`^vk_${cast.tenant_id}_[\\w-]{43}$`));
    expect(key).not.toBe(old);
    expect(answer.body).toMatchObject({
      id,
      rotated_at: '2026-03-02T09:00:00.000Z',
      previous_until: '2026-03-03T09:00:00.000Z',
    });
    clock.set('2026-03-03T08:59:59.999Z');
    expect([await statusOf(key), await statusOf(old)]).toEqual([200, 200]);
    clock.set('2026-03-03T09:00:00Z');
    expect([await statusOf(key), await statusOf(old)]).toEqual([200, 401]);
  });

  it('keeps its id, scopes and expiry', async () => {
    const { id, key: old } = await newKey({ expires_at: '2026-03-02T10:00:00Z' });
    const { key } = await rotated(id, { grace_hours: 48 });
    const list = await world.http('GET', `/api/v1/tenants/${cast.tenant_id}/api-keys?limit=1`, {
      token: cast.operator.token,
    });
    expect(list.body.data[0]).toMatchObject({ id, scopes: ['users:read'], name: 'Key' });
    expect(list.text).not.toMatch(/hash|vk_/);
    clock.set('2026-03-02T10:00:00Z');
    // The grace period does not outlive the key.
    expect([await statusOf(key), await statusOf(old)]).toEqual([401, 401]);
  });

  it('drops the old secret at once without a grace period', async () => {
    const { id, key: old } = await newKey();
    const { key, previous_until } = await rotated(id, { grace_hours: 0 });
    expect(previous_until).toBeNull();
    expect([await statusOf(key), await statusOf(old)]).toEqual([200, 401]);
  });

  it('has at most two valid secrets, even after many concurrent rotations', async () => {
    const { id, key: first } = await newKey();
    const { key: second } = await rotated(id);
    const { key: third } = await rotated(id);
    expect(await Promise.all([first, second, third].map(statusOf))).toEqual([401, 200, 200]);
    const many = await Promise.all(Array.from({ length: 6 }, () => rotated(id)));
    const good = await Promise.all([second, third, ...many.map(({ key }) => key)].map(statusOf));
    expect(good.filter((status) => status === 200)).toHaveLength(2);
  });

  it('is revoked with both of its secrets', async () => {
    const { id, key: old } = await newKey();
    const { key } = await rotated(id);
    const path = `/api/v1/tenants/${cast.tenant_id}/api-keys/${id}`;
    expect((await world.http('DELETE', path, { token: cast.operator.token })).status).toBe(204);
    expect([await statusOf(key), await statusOf(old)]).toEqual([401, 401]);
  });

  it('stores neither secret', async () => {
    const { id, key: old } = await newKey();
    const { key } = await rotated(id);
    const [row] = await world.sql<{ text: string }>(`SELECT k::text AS text FROM api_keys k WHERE id = $1`, [
      id,
    ]);
    expect(row!.text).not.toContain(old.slice(-43));
    expect(row!.text).not.toContain(key.slice(-43));
  });
});

describe('a rotation is refused', () => {
  it('of an unknown key, another tenant’s, a revoked or an expired one', async () => {
    const { id } = await newKey();
    const elsewhere = await rotate(id, {}, cast.other.tenant.id);
    const unknown = await rotate('00000000-0000-7000-8000-000000000000', {});
    expect([elsewhere.status, elsewhere.text]).toEqual([404, unknown.text]);
    await world.http('DELETE', `/api/v1/tenants/${cast.tenant_id}/api-keys/${id}`, {
      token: cast.operator.token,
    });
    expect((await rotate(id)).body).toMatchObject({ code: 'conflict', detail: 'the key was revoked' });
    const short = await newKey({ expires_at: '2026-03-02T09:10:00Z' });
    clock.set('2026-03-02T09:10:00Z');
    expect((await rotate(short.id)).body).toMatchObject({ code: 'conflict', detail: 'the key has expired' });
  });

  it.each([[-1], [721], [1.5], ['24'], ['soon']])('with a grace of %p hours', async (grace_hours) => {
    const { id, key } = await newKey();
    const { status, body } = await rotate(id, { grace_hours });
    expect([status, body.errors[0].pointer]).toEqual([400, '/grace_hours']);
    expect(await statusOf(key)).toBe(200);
  });
});

describe('a key that may only write users', () => {
  const withKey = (key: string, method: string, path: string, body?: object) =>
    world.http(method, `/api/v1/${path}`, { headers: { 'x-api-key': key }, body });

  it('creates members, and cannot create, become or change an admin', async () => {
    const { key } = await newKey({ scopes: ['users:write'] });
    const made = await withKey(key, 'POST', 'users', { email: 'm@example.com', name: 'Member' });
    expect(made.status).toBe(201);
    const { id } = made.body as { id: string };
    const { id: admin } = cast.admin;
    const tries: [string, string, object?][] = [
      ['POST', 'users', { email: 'root@example.com', name: 'Root', role: 'admin' }],
      ['PATCH', `users/${id}`, { role: 'admin' }],
      // The link that sets the admin's password would be sent to the new address.
      ['PATCH', `users/${admin}`, { email: 'mine@example.com' }],
      ['PATCH', `users/${admin}`, { role: 'member' }],
      ['DELETE', `users/${admin}`],
    ];
    for (const [method, path, body] of tries) {
      const answer = await withKey(key, method, path, body);
      expect([method, path, answer.status, answer.body?.code]).toEqual([method, path, 403, 'forbidden']);
    }
    const admins = await world.sql(`SELECT id, email FROM users WHERE tenant_id = $1 AND role = 'admin'`, [
      cast.tenant_id,
    ]);
    expect(admins).toEqual([{ id: admin, email: cast.admin.email }]);
    // Another tenant's admin is not found, rather than forbidden.
    const theirs = await withKey(key, 'PATCH', `users/${cast.outsider.id}`, { role: 'admin' });
    expect(theirs.status).toBe(404);
    expect((await withKey(key, 'PATCH', `users/${id}`, { name: 'Renamed' })).status).toBe(200);
    expect((await withKey(key, 'DELETE', `users/${id}`)).status).toBe(204);
  });

  it('creates admins when it also has the admin scope, so that an operator can set up a tenant', async () => {
    const { key } = await newKey({ scopes: ['users:write', 'admin'] });
    const made = await withKey(key, 'POST', 'users', {
      email: 'first@example.com',
      name: 'First',
      role: 'admin',
    });
    expect([made.status, made.body.role]).toEqual([201, 'admin']);
    const { id } = made.body as { id: string };
    expect((await withKey(key, 'PATCH', `users/${id}`, { role: 'member' })).status).toBe(200);
    expect((await withKey(key, 'PATCH', `users/${id}`, { role: 'admin' })).status).toBe(200);
    expect((await withKey(key, 'DELETE', `users/${id}`)).status).toBe(204);
  });
});
