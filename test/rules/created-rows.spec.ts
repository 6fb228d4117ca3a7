import { type Cast, createCast } from '../support/cast.js';
import { createWorld, type World } from '../support/world.js';

let world: World;
let cast: Cast;
beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
}, 60_000);
afterAll(() => world.close());

const DUE = { due_on: '2026-05-04', description: 'A', title: 'VAT', external_id: 'e1' };

describe('H9: a created row', () => {
  it.each([
    ['deadlines', { ...DUE, category: 'tax' }],
    ['documents', DUE],
    ['tasks', DUE],
    ['tickets', { ...DUE, currency: 'EUR', amount_cents: 13_500, reference: '75' }],
    ['users', { welcome: false, role: 'member', name: 'Dana', email: 'dana@example.com' }],
    ['tenants', { locale: 'en', kind: 'cabinet', name: 'Fifth', slug: 'fifth' }],
  ] as const)('of %s is answered as it is read later, with one instant', async (path, fields) => {
    const token = path === 'tenants' ? cast.operator.token : cast.admin.token;
    const created = await world.http('POST', `/api/v1/${path}`, { token, body: fields });
    expect(created.status).toBe(201);
    const { id, created_at, updated_at } = created.body as Record<string, string>;
    expect(updated_at).toBe(created_at);

    const read = await world.http('GET', `/api/v1/${path}/${id}`, { token });
    expect(created.text).toBe(read.text);
    const name = path === 'users' ? 'Daphne' : 'Sixth';
    const changed = await world.http('PATCH', `/api/v1/${path}/${id}`, {
      token,
      body: path === 'users' || path === 'tenants' ? { name } : { title: name },
    });
    expect(Object.keys(changed.body as object)).toEqual(Object.keys(read.body as object));
  });
});
