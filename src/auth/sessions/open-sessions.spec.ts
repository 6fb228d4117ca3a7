import { addPerson, type Cast, createCast, PASSWORD, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const DAY = 86_400_000;
const clock = new FixedClock('2026-03-02T09:00:00Z');
let world: World;
let cast: Cast;
let count = 0;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SESSION_MAX_DAYS: '30', REFRESH_TOKEN_DAYS: '7', ACCESS_TOKEN_MINUTES: '1440' },
  });
  cast = await createCast(world);
});
afterAll(() => world.close());

interface Pair {
  access_token: string;
  refresh_token: string;
}

const someone = (): Promise<Person> => addPerson(world, cast.tenant_id, { name: `Ines${count++}` });
async function login({ email }: { email: string }, agent: string, tenant?: string): Promise<Pair> {
  const { status, body } = await world.http('POST', '/api/v1/auth/login', {
    body: { email, password: PASSWORD, tenant },
    headers: { 'user-agent': agent },
  });
  expect(status).toBe(200);
  return body as Pair;
}
const list = async (token: string, query = '') =>
  (await world.http('GET', `/api/v1/me/sessions${query}`, { token })).body as {
    data: { id: string; current: boolean; user_agent: string | null; last_used_at: string }[];
    next_cursor: string | null;
  };
const works = async (token: string) =>
  (await world.http('GET', '/api/v1/me/sessions', { token })).status === 200;
const end = async (token: string, path: string) =>
  (await world.http('DELETE', `/api/v1/${path}`, { token })).status;
const refresh = (refresh_token: string) =>
  world.http('POST', '/api/v1/auth/refresh', { body: { refresh_token } });

describe.each([
  ['a user', () => someone(), () => cast.tenant.slug],
  ['an operator', () => Promise.resolve(cast.operator), () => undefined],
])('S9: %s', (_who, who, tenant) => {
  it('sees their own valid sessions, newest first, in pages', async () => {
    const person = await who();
    const phone = await login(person, 'Phone/1.0', tenant());
    clock.advance(60_000);
    const { access_token } = (await refresh(phone.refresh_token)).body as Pair;
    const { data } = await list(access_token);
    expect(data).toHaveLength(2);
    expect(data[0]).toEqual({
      id: expect.any(String),
      created_at: new Date(clock.now().getTime() - 60_000).toISOString(),
      last_used_at: clock.now().toISOString(),
      expires_at: new Date(clock.now().getTime() + 7 * DAY).toISOString(),
      user_agent: 'Phone/1.0',
      current: true,
    });
    expect(data[1]).toMatchObject({ user_agent: null, current: false });
    const first = await list(access_token, '?limit=1');
    const second = await list(access_token, `?limit=1&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toEqual(data);
    expect(second.next_cursor).toBeNull();
    await end(access_token, 'me/sessions');
  });

  it('ends one of them, all others, and the current one', async () => {
    const person = await who();
    const [one, two, three] = [
      await login(person, 'one', tenant()),
      await login(person, 'two', tenant()),
      await login(person, 'three', tenant()),
    ];
    const { data } = await list(three.access_token);
    const id = data.find(({ user_agent }) => user_agent === 'one')!.id;
    expect(await end(three.access_token, `me/sessions/${id}`)).toBe(204);
    expect(await end(three.access_token, `me/sessions/${id}`)).toBe(404);
    expect([await works(one.access_token), (await refresh(one.refresh_token)).status]).toEqual([false, 401]);
    expect(await works(two.access_token)).toBe(true);

    expect(await end(three.access_token, 'me/sessions')).toBe(204);
    expect([await works(two.access_token), await works(three.access_token)]).toEqual([false, true]);
    const [own] = (await list(three.access_token)).data;
    expect(await end(three.access_token, `me/sessions/${own!.id}`)).toBe(204);
    expect(await works(three.access_token)).toBe(false);
  });
});

describe('S9: somebody else’s session', () => {
  it('cannot be ended by a colleague or an operator, who get the answer for an unknown id', async () => {
    const person = await someone();
    const { access_token } = await login(person, 'mine', cast.tenant.slug);
    const id = (await list(access_token)).data[0]!.id;
    const operator = await login(cast.operator, 'operator');
    for (const token of [cast.teammate.token, operator.access_token, cast.outsider.token]) {
      expect([token, await end(token, `me/sessions/${id}`)]).toEqual([token, 404]);
    }
    expect(await works(access_token)).toBe(true);
  });

  it('is ended by an admin, with all others of that user', async () => {
    const person = await someone();
    expect(await end(cast.teammate.token, `users/${person.id}/sessions`)).toBe(403);
    expect(await end(cast.outsider.token, `users/${person.id}/sessions`)).toBe(404);
    expect(await works(person.token)).toBe(true);
    expect(await end(cast.admin.token, `users/${person.id}/sessions`)).toBe(204);
    expect([await works(person.token), (await refresh(person.refresh_token)).status]).toEqual([false, 401]);
    const [row] = await world.sql(
      `SELECT actor, status FROM audit_log WHERE action = 'DELETE /api/v1/users/:id/sessions' AND status = 204`,
    );
    expect(row).toEqual({ actor: `user:${cast.admin.id}`, status: 204 });
  });
});

// Last: it moves the clock past the end of all sessions.
describe('S9: a session', () => {
  it('ends 30 days after the login, however much it is used, together with its access token', async () => {
    const person = await someone();
    let pair = await login(person, 'busy', cast.tenant.slug);
    for (let day = 0; day < 29; day++) {
      clock.advance(DAY);
      const answer = await refresh(pair.refresh_token);
      expect([day, answer.status]).toEqual([day, 200]);
      pair = answer.body as Pair;
    }
    clock.advance(DAY - 1_000);
    pair = (await refresh(pair.refresh_token)).body as Pair;
    expect(await works(pair.access_token)).toBe(true);
    clock.advance(1_000);
    expect((await refresh(pair.refresh_token)).status).toBe(401);
    expect(await works(pair.access_token)).toBe(false);
  });

  it('ends after 7 days without use', async () => {
    const person = await someone();
    const pair = await login(person, 'idle', cast.tenant.slug);
    clock.advance(7 * DAY);
    expect((await refresh(pair.refresh_token)).status).toBe(401);
  });
});
