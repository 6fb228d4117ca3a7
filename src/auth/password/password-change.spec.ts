import { addPerson, type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';

const NEW = 'another horse, another battery';
let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
});
afterAll(() => world.close());

const login = (email: string, password: string, tenant?: string) =>
  world.http('POST', '/api/v1/auth/login', { body: { email, password, tenant } });
const change = (token: string, current_password: string, new_password = NEW) =>
  world.http('POST', '/api/v1/auth/password/change', { token, body: { current_password, new_password } });

it('a user changes their own password, and every other session ends', async () => {
  const { email, token, refresh_token } = await addPerson(world, cast.tenant_id, { name: 'Greta' });
  const { slug } = cast.tenant;
  const other = (await login(email, PASSWORD, slug)).body as { access_token: string; refresh_token: string };
  expect((await change(token, PASSWORD)).status).toBe(204);

  expect((await world.http('GET', '/api/v1/me', { token })).status).toBe(200);
  const refresh = (refresh_token: string) =>
    world.http('POST', '/api/v1/auth/refresh', { body: { refresh_token } });
  expect((await refresh(refresh_token)).status).toBe(200);
  expect((await world.http('GET', '/api/v1/me', { token: other.access_token })).status).toBe(401);
  expect((await refresh(other.refresh_token)).status).toBe(401);
  expect((await login(email, PASSWORD, slug)).status).toBe(401);
  expect((await login(email, NEW, slug)).status).toBe(200);
});

it('an operator changes theirs likewise, recorded in the audit log of the installation', async () => {
  const { email, token, id } = cast.operator;
  const other = (await login(email, PASSWORD)).body as { access_token: string };
  expect((await change(token, PASSWORD)).status).toBe(204);
  const tenants = (as: string) => world.http('GET', '/api/v1/tenants', { token: as });
  expect((await tenants(token)).status).toBe(200);
  expect((await tenants(other.access_token)).status).toBe(401);
  expect((await login(email, PASSWORD)).status).toBe(401);
  expect((await login(email, NEW)).status).toBe(200);
  const query = `?action=${encodeURIComponent('POST /api/v1/auth/password/change')}`;
  const { body, text } = await world.http('GET', `/api/v1/admin/audit${query}`, { token });
  expect(body.data).toEqual([
    expect.objectContaining({ actor: `operator:${id}`, status: 204, changed: null }),
  ]);
  expect(text).not.toContain(NEW);
});

it('S7: a wrong password changes nothing, and tries are counted for the session', async () => {
  const { email, token } = await addPerson(world, cast.tenant_id, { name: 'Hugo' });
  for (let n = 1; n <= 5; n += 1) {
    const { status, body } = await change(token, 'a wrong password');
    expect([status, body.errors?.[0].pointer]).toEqual([400, '/current_password']);
  }
  const refused = await change(token, PASSWORD);
  expect([refused.status, refused.body.code]).toEqual([429, 'too_many_attempts']);
  // Who has a stolen session must not keep its owner out.
  expect((await login(email, PASSWORD, cast.tenant.slug)).status).toBe(200);
});

it('a new password has at least 12 characters, and is set once', async () => {
  const { token } = await addPerson(world, cast.tenant_id, { name: 'Ida' });
  const short = await change(token, PASSWORD, 'short');
  expect([short.status, short.body.errors[0].pointer]).toEqual([400, '/new_password']);
  const both = await Promise.all([change(token, PASSWORD), change(token, PASSWORD, `${NEW}!`)]);
  const statuses = both.map(({ status }) => status).sort();
  // The second is too late (409), or finds the password already changed (400).
  expect(statuses[0]).toBe(204);
  expect([400, 409]).toContain(statuses[1]);
});

it('API keys cannot use it', async () => {
  const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'Key', scopes: ['admin'] },
  });
  const answer = await world.http('POST', '/api/v1/auth/password/change', {
    headers: { 'x-api-key': (body as { key: string }).key },
    body: { current_password: PASSWORD, new_password: NEW },
  });
  expect(answer.status).toBe(403);
});
