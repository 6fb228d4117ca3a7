import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';

/** K4: the keys of a tenant, by its own admins. */
let world: World;
let cast: Cast;
const KEYS = '/api/v1/tenant/api-keys';

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
});
afterAll(() => world.close());

const asAdmin = (method: string, path = KEYS, body?: object) =>
  world.http(method, path, { token: cast.admin.token, ...(body === undefined ? {} : { body }) });

describe('K4: a tenant’s admin', () => {
  it('creates, lists, rotates and revokes keys, which work like those from an operator', async () => {
    const made = await asAdmin('POST', KEYS, { name: 'Compta', scopes: ['watched:read'] });
    expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
    const { id, key } = made.body as { id: string; key: string };
    const call = async (secret: string) =>
      (await world.http('GET', '/api/v1/deadlines', { headers: { 'x-api-key': secret } })).status;
    expect(await call(key)).toBe(200);
    expect((await asAdmin('GET')).body.data).toMatchObject([{ id, name: 'Compta' }]);
    expect((await asAdmin('GET')).text).not.toContain(key);
    const rotated = await asAdmin('POST', `${KEYS}/${id}/rotate`, { grace_hours: 0 });
    expect([await call(key), await call(rotated.body.key)]).toEqual([401, 200]);
    expect((await asAdmin('DELETE', `${KEYS}/${id}`)).status).toBe(204);
    expect(await call(rotated.body.key)).toBe(401);
    const operators = await world.http('GET', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
      token: cast.operator.token,
    });
    expect(operators.body.data).toMatchObject([{ id, revoked_at: expect.any(String) as string }]);
  });

  it('sees the key in the audit log, and a key cannot create keys', async () => {
    const made = await asAdmin('POST', KEYS, { name: 'Tout', scopes: ['admin'] });
    const headers = { 'x-api-key': String(made.body.key) };
    const body = { name: 'Suite', scopes: ['admin'] };
    expect((await world.http('POST', KEYS, { headers, body })).status).toBe(403);
    const log = await asAdmin('GET', `/api/v1/admin/audit?q=tenant/api-keys&limit=2`);
    expect(log.body.data).toMatchObject([
      { actor: `key:${made.body.id}`, action: 'POST /api/v1/tenant/api-keys', status: 403 },
      { actor: `user:${cast.admin.id}`, action: 'POST /api/v1/tenant/api-keys', status: 201 },
    ]);
  });
});
