import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { addPerson, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';

const clock = new FixedClock('2026-03-02T09:00:00Z');
let world: World;
let cast: Cast;
let person: Person;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ clock });
  cast = await createCast(world);
});

beforeEach(async () => {
  person = await addPerson(world, cast.tenant.id, { name: `Dora${count++}` });
});

afterAll(() => world.close());

const refresh = (refresh_token: string) =>
  world.http('POST', '/api/v1/auth/refresh', { body: { refresh_token } });
const works = async (token: string) => (await world.http('GET', '/api/v1/me', { token })).status === 200;
const revoked = async () =>
  (await world.sql(`SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NOT NULL`, [person.id]))
    .length === 1;

it('gives a new pair, again and again, and keeps one row per login', async () => {
  let token = person.refresh_token;
  for (let round = 0; round < 5; round++) {
    clock.advance(15 * 60_000);
    const answer = await refresh(token);
    expect(answer.status).toBe(200);
    expect(answer.body.refresh_token).not.toBe(token);
    expect(await works(answer.body.access_token)).toBe(true);
    token = answer.body.refresh_token;
  }
  expect(await world.sql(`SELECT 1 FROM sessions WHERE user_id = $1`, [person.id])).toHaveLength(1);
});

it('answers concurrent requests with the same next token, which stays valid', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => refresh(person.refresh_token)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
  for (const { body } of answers) expect(await works(body.access_token)).toBe(true);
  clock.advance(60_000);
  expect((await refresh(answers[0]!.body.refresh_token)).status).toBe(200);
  expect(await revoked()).toBe(false);
});

it('accepts the previous token for 30 s', async () => {
  const first = await refresh(person.refresh_token);
  clock.advance(30_000);
  const again = await refresh(person.refresh_token);
  expect(again.status).toBe(200);
  expect(again.body.refresh_token).toBe(first.body.refresh_token);
});

it('ends the session when a token is used again later', async () => {
  const first = await refresh(person.refresh_token);
  clock.advance(30_001);
  expect((await refresh(person.refresh_token)).status).toBe(401);
  expect(await revoked()).toBe(true);
  expect((await refresh(first.body.refresh_token)).status).toBe(401);
  expect(await works(first.body.access_token)).toBe(false);
  expect(await works(person.token)).toBe(false);
});

it('ends the session for a token older than the previous one, at any time', async () => {
  const first = await refresh(person.refresh_token);
  const second = await refresh(first.body.refresh_token);
  expect((await refresh(person.refresh_token)).status).toBe(401);
  expect(await works(second.body.access_token)).toBe(false);
});

it('ignores a forged token', async () => {
  const [tenant, family] = person.refresh_token.split('.');
  const forged = [
    `${tenant}.${family}.2.${'A'.repeat(43)}`,
    `${tenant}.${family}.1`,
    person.refresh_token.slice(0, -1),
    person.refresh_token.replace(family!, cast.admin.refresh_token.split('.')[1]!),
    `operator.${family}.1.${person.refresh_token.split('.')[3]}`,
    '',
    '.',
    '....',
  ];
  for (const token of forged) {
    const answer = await refresh(token);
    expect(answer.body.code).toBe('unauthenticated');
  }
  expect(await revoked()).toBe(false);
  expect((await refresh(person.refresh_token)).status).toBe(200);
});

it('expires after the configured days without use', async () => {
  clock.advance(world.config.refreshTokenDays * 86_400_000);
  expect((await refresh(person.refresh_token)).status).toBe(401);
});

it('waits while the tenant is suspended', async () => {
  await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [cast.tenant.id]);
  const answer = await refresh(person.refresh_token);
  expect(answer.status).toBe(403);
  expect(answer.body.code).toBe('tenant_suspended');
  await world.sql(`UPDATE tenants SET suspended_at = NULL WHERE id = $1`, [cast.tenant.id]);
  expect((await refresh(person.refresh_token)).status).toBe(200);
});

it('ends with a logout, together with its access token; other sessions of the user continue', async () => {
  const logout = (refresh_token: string) =>
    world.http('POST', '/api/v1/auth/logout', { body: { refresh_token } });
  const login = await world.http('POST', '/api/v1/auth/login', {
    body: { email: person.email, password: person.password, tenant: cast.tenant.slug },
  });
  expect((await logout(person.refresh_token)).status).toBe(204);
  expect(await works(person.token)).toBe(false);
  expect((await refresh(person.refresh_token)).status).toBe(401);
  expect(await works(login.body.access_token)).toBe(true);
  // Repeated, or with nonsense: nothing to end.
  expect((await logout(person.refresh_token)).status).toBe(204);
  expect((await logout('nonsense')).status).toBe(204);
});

it('puts the current role into the new token; the old one never had more rights', async () => {
  await world.sql(`UPDATE users SET role = 'admin' WHERE id = $1`, [person.id]);
  expect((await world.http('GET', '/api/v1/users', { token: person.token })).status).toBe(200);
  await world.sql(`UPDATE users SET role = 'member' WHERE id = $1`, [person.id]);
  expect((await world.http('GET', '/api/v1/users', { token: person.token })).status).toBe(403);
});

it('works for operators too', async () => {
  const login = await world.http('POST', '/api/v1/auth/login', {
    body: { email: cast.operator.email, password: cast.operator.password },
  });
  const next = await refresh(login.body.refresh_token);
  expect(next.status).toBe(200);
  const tenants = (token: string) => world.http('GET', '/api/v1/tenants', { token });
  expect((await tenants(next.body.access_token)).status).toBe(200);
  clock.advance(31_000);
  expect((await refresh(login.body.refresh_token)).status).toBe(401);
  expect((await tenants(next.body.access_token)).status).toBe(401);
});
