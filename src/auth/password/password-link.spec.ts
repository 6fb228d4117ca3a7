import { type Cast, createCast } from '../../../test/support/cast.js';
import { tokenOf } from '../../../test/support/links.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const NEW = 'an entirely new password';
let world: World;
let cast: Cast;
let count = 0;

beforeAll(async () => {
  const clock = new FixedClock('2026-03-02T09:00:00Z');
  world = await createWorld({ clock, env: { VIGIE_PUBLIC_URL: 'https://vigie.example/' } });
  cast = await createCast(world);
});
afterAll(() => world.close());

const set = (token: string) =>
  world.http('POST', '/api/v1/auth/password', { body: { token, password: NEW } });

describe('a link that an admin hands over', () => {
  const ask = (id: string, token = cast.admin.token) =>
    world.http('POST', `/api/v1/users/${id}/password-link`, { token });

  async function newcomer(role = 'member'): Promise<{ id: string; email: string }> {
    const email = `newcomer${count++}@example.com`;
    const body = { email, name: 'Nina', role, welcome: false };
    const created = await world.http('POST', '/api/v1/users', { token: cast.admin.token, body });
    expect(created.status).toBe(201);
    return created.body as { id: string; email: string };
  }

  it('S8: lets in a user who got no welcome mail, by a link that reaches no server log', async () => {
    const { id, email } = await newcomer();
    expect(await world.sql(`SELECT 1 FROM notifications WHERE user_id = $1`, [id])).toEqual([]);
    const { status, body, headers } = await ask(id);
    expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
    expect(body).toEqual({
      url: expect.stringMatching(/^https:\/\/vigie\.example\/password#token=/),
      expires_at: '2026-03-05T09:00:00.000Z',
    });
    expect(body.url).toContain(`&tenant=${cast.tenant.slug}`);
    expect((await set(tokenOf(String(body.url)))).status).toBe(204);
    const answer = await world.http('POST', '/api/v1/auth/login', {
      body: { email, password: NEW, tenant: cast.tenant.slug },
    });
    expect(answer.status).toBe(200);
  });

  it('is refused for a user with a password, and an earlier link ends', async () => {
    const { id } = await newcomer();
    const [first, second] = [await ask(id), await ask(id)];
    const token = (answer: typeof first) => tokenOf(String(answer.body.url));
    // The second replaced the first: only one is valid at a time.
    expect((await set(token(first))).status).toBe(410);
    expect((await set(token(second))).status).toBe(204);
    expect(await ask(id)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await ask(cast.teammate.id)).status).toBe(409);
  });

  it('is refused for an admin to a key that may only write users, which would become admin by it', async () => {
    const created = await world.http('POST', `/api/v1/tenants/${cast.tenant.id}/api-keys`, {
      token: cast.operator.token,
      body: { name: 'Directory', scopes: ['users:write'] },
    });
    const withKey = (id: string) =>
      world.http('POST', `/api/v1/users/${id}/password-link`, {
        headers: { 'x-api-key': String(created.body.key) },
      });
    expect(await withKey((await newcomer('admin')).id)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect((await withKey((await newcomer()).id)).status).toBe(201);
  });

  it('is refused to members', async () => {
    const { id } = await newcomer();
    expect((await ask(id, cast.teammate.token)).status).toBe(403);
  });
});
