import { Redis } from 'ioredis';
import { addPerson, type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { LoginThrottle } from './login-throttle.js';
import { Operators } from '../operators.js';

let world: World;
let cast: Cast;
let redis: Redis;

beforeAll(async () => {
  world = await createWorld({
    env: { VIGIE_OPERATOR_EMAIL: 'Root@Example.com', VIGIE_OPERATOR_PASSWORD: 'a first password' },
  });
  cast = await createCast(world);
  redis = new Redis(world.config.redisUrl!);
});

afterAll(async () => {
  redis.disconnect();
  await world.close();
});

const login = (body: object) => world.http('POST', '/api/v1/auth/login', { body });
const me = (token: string) => world.http('GET', '/api/v1/me', { token });

/** Ends the delays between attempts, as if time had passed. */
async function waitOver(): Promise<void> {
  const keys = await redis.keys(`${world.config.redisPrefix}:login-wait:*`);
  if (keys.length > 0) await redis.del(keys);
}

describe('a login', () => {
  it('answers with tokens that work', async () => {
    const answer = await login({ email: cast.teammate.email, password: PASSWORD, tenant: cast.tenant.slug });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
      device_token: expect.any(String),
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await me(answer.body.access_token)).body).toMatchObject({
      id: cast.teammate.id,
      email: cast.teammate.email,
      role: 'member',
      tenant: { id: cast.tenant.id, slug: cast.tenant.slug },
    });
  });

  it('accepts the address in any case, with surrounding blanks', async () => {
    const email = `  ${cast.teammate.email.toUpperCase()} `;
    expect((await login({ email, password: PASSWORD, tenant: cast.tenant.slug })).status).toBe(200);
  });

  it('gets the same refusal for a wrong password, an unknown user, another tenant and an unknown one', async () => {
    const { email } = cast.teammate;
    const answers = await Promise.all([
      login({ email, password: 'wrong', tenant: cast.tenant.slug }),
      login({ email: 'nobody@example.com', password: PASSWORD, tenant: cast.tenant.slug }),
      login({ email, password: PASSWORD, tenant: cast.other.tenant.slug }),
      login({ email, password: PASSWORD, tenant: 'no-such-tenant' }),
      login({ email, password: PASSWORD }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.body.code).toBe('invalid_credentials');
      expect(answer.text).toBe(answers[0].text);
    }
  });

  it('is refused to a user who has not set a password yet', async () => {
    await world.sql(
      `INSERT INTO users (tenant_id, email, name, role) VALUES ($1, 'new@example.com', 'New', 'member')`,
      [cast.tenant.id],
    );
    for (const password of ['', PASSWORD]) {
      const answer = await login({ email: 'new@example.com', password, tenant: cast.tenant.slug });
      expect(answer.body.code).toBe('invalid_credentials');
    }
  });

  it('takes null for what is left out: no device, and no tenant for operators', async () => {
    const user = { email: cast.teammate.email, password: PASSWORD, tenant: cast.tenant.slug };
    expect((await login({ ...user, device_token: null })).status).toBe(200);
    const operator = { email: cast.operator.email, password: PASSWORD, tenant: null, device_token: null };
    expect((await login(operator)).status).toBe(200);
    const reset = { email: user.email, tenant: user.tenant, device_token: null };
    expect((await world.http('POST', '/api/v1/auth/password-reset', { body: reset })).status).toBe(202);
  });

  it('names what is wrong with the request', async () => {
    const answer = await login({ email: 5, password: 'x'.repeat(201), tenant: 'a\u0000b', admin: true });
    expect(answer.status).toBe(400);
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(new Set(pointers)).toEqual(new Set(['/email', '/password', '/tenant', '/admin']));
  });

  it('to a suspended tenant says so only with the right password', async () => {
    const { email } = cast.outsider;
    const tenant = cast.other.tenant.slug;
    await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [cast.other.tenant.id]);
    expect((await login({ email, password: PASSWORD, tenant })).body.code).toBe('tenant_suspended');
    expect((await login({ email, password: 'wrong', tenant })).body.code).toBe('invalid_credentials');
    await world.sql(`UPDATE tenants SET suspended_at = NULL WHERE id = $1`, [cast.other.tenant.id]);
    expect((await login({ email, password: PASSWORD, tenant })).status).toBe(200);
  });
});

describe('operators', () => {
  it('log in without a tenant; the configuration creates the first', async () => {
    const answer = await login({ email: 'root@example.com', password: 'a first password' });
    expect(answer.status).toBe(200);
    const tenants = await world.http('GET', '/api/v1/tenants', { token: answer.body.access_token });
    expect(tenants.status).toBe(200);
  });

  it('are created once, however many processes start at the same time', async () => {
    await world.sql(`DELETE FROM operators WHERE email = 'Root@Example.com'`);
    const operators = world.app.get(Operators, { strict: false });
    await Promise.all(Array.from({ length: 4 }, () => operators.onApplicationBootstrap()));
    await operators.onApplicationBootstrap();
    const rows = await world.sql(`SELECT 1 FROM operators WHERE lower(email) = 'root@example.com'`);
    expect(rows).toHaveLength(1);
  });
});

describe.each([
  ['a user', () => cast.admin.email],
  ['somebody unknown', () => 'ghost@example.com'],
])('after repeated failures %s', (_who, email) => {
  const wrong = () => login({ email: email(), password: 'wrong', tenant: cast.tenant.slug });

  it('waits longer and longer, then is locked, even for the right password', async () => {
    for (let failure = 1; failure <= 10; failure++) {
      expect((await wrong()).status).toBe(401);
      const next = failure < 5 ? null : await wrong();
      if (next !== null) {
        expect(next.status).toBe(429);
        expect(next.body.code).toBe('too_many_attempts');
        const seconds = failure < 10 ? 2 ** (failure - 5) : 900;
        expect(Number(next.headers['retry-after'])).toBeGreaterThan(seconds - 1.5);
        expect(Number(next.headers['retry-after'])).toBeLessThanOrEqual(seconds);
      }
      await waitOver();
    }
    const right = await login({ email: email(), password: PASSWORD, tenant: cast.tenant.slug });
    expect(right.status).toBe(429);
    // The same address in another tenant is another account.
    const elsewhere = await login({ email: email(), password: 'wrong', tenant: cast.other.tenant.slug });
    expect(elsewhere.status).toBe(401);
  });
});

it('allows no more than ten guesses to many concurrent attempts', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, () =>
      login({ email: 'burst@example.com', password: 'wrong', tenant: cast.tenant.slug }),
    ),
  );
  expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(10);
  expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(20);
});

it('forgets failures after a success', async () => {
  const { email } = await addPerson(world, cast.tenant.id, { name: 'Felix' });
  const tenant = cast.tenant.slug;
  for (let round = 0; round < 3; round++) {
    for (let failure = 0; failure < 4; failure++) {
      expect((await login({ email, password: 'wrong', tenant })).status).toBe(401);
    }
    expect((await login({ email, password: PASSWORD, tenant })).status).toBe(200);
  }
});

it('counts an address once, in any case', async () => {
  const spellings = ['igor@example.com', 'IGOR@example.com', ' Igor@EXAMPLE.com '];
  for (let failure = 0; failure < 5; failure++) {
    const email = spellings[failure % spellings.length];
    expect((await login({ email, password: 'wrong', tenant: cast.tenant.slug })).status).toBe(401);
  }
  const next = await login({ email: spellings[1], password: 'wrong', tenant: cast.tenant.slug });
  expect(next.status).toBe(429);
});

// Last: it disconnects this application from Redis.
it('works without Redis, and still counts', async () => {
  world.app.get(LoginThrottle, { strict: false }).onApplicationShutdown();
  const { email } = await addPerson(world, cast.tenant.id, { name: 'Wanda' });
  const tenant = cast.tenant.slug;
  expect((await login({ email, password: PASSWORD, tenant })).status).toBe(200);
  for (let failure = 0; failure < 5; failure++) {
    expect((await login({ email, password: 'wrong', tenant })).status).toBe(401);
  }
  expect((await login({ email, password: PASSWORD, tenant })).status).toBe(429);
});
