import { addPerson, type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import type { ListedUser } from './users.dto.js';

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await addPerson(world, cast.tenant_id, { name: 'Éléonore', email: 'e_l@example.com' });
  await world.sql(
    `INSERT INTO users (tenant_id, email, name, role) VALUES ($1, 'zoe@example.com', 'Zoé', 'member')`,
    [cast.tenant_id],
  );
});
afterAll(() => world.close());

const list = async (query: string) => {
  const { status, body } = await world.http('GET', `/api/v1/users?count=true&${query}`, {
    token: cast.admin.token,
  });
  expect(status).toBe(200);
  return body as { data: ListedUser[]; next_cursor: string | null; count: number };
};
const names = async (query: string) => (await list(query)).data.map(({ name }) => name);

it('C10: admins search, filter, sort and count the users of the tenant', async () => {
  expect(await list('sort=name')).toMatchObject({ count: 4 });
  expect(await names('sort=name')).toEqual(['Alice', 'Bob', 'Éléonore', 'Zoé']);
  expect(await names('')).toEqual(['Zoé', 'Éléonore', 'Bob', 'Alice']);
  expect(await names('q=ELEO')).toEqual(['Éléonore']);
  expect(await names('q=e_l')).toEqual(['Éléonore']);
  expect(await names('role=admin')).toEqual(['Alice']);
  expect(await names('active=false')).toEqual(['Zoé']);
  expect(await names('active=true&sort=-name&limit=1')).toEqual(['Éléonore']);
});

it('C10: an admin sets when a colleague receives; nobody else may', async () => {
  const path = `/api/v1/users/${cast.teammate.id}/preferences`;
  const until = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
  const put = (token: string) =>
    world.http('PUT', path, { token, body: { preferences: [], paused_until: until } });
  expect((await put(cast.admin.token)).body).toMatchObject({ paused_until: until });
  expect((await world.http('GET', path, { token: cast.admin.token })).body.paused_until).toBe(until);
  const [bob] = (await list('q=bob')).data;
  expect(bob).toMatchObject({ active: true, paused_until: until });
  expect((await put(cast.teammate.token)).status).toBe(403);
  expect((await put(cast.outsider.token)).status).toBe(404);
});
