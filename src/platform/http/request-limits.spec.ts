import { type Cast, createCast } from '../../../test/support/cast.js';
import { startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { networkOf } from './addresses.js';
import { RequestLimits } from './request-limits.js';

const worlds: World[] = [];

async function start(env: Record<string, string>, join?: World): Promise<World> {
  const world = await createWorld({ env, ...(join === undefined ? {} : { join }) });
  worlds.unshift(world);
  return world;
}
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const count = (world: World, token: string) =>
  world.http('GET', '/api/v1/notifications/unread-count', { token });
const from = (ip: string) => ({ headers: { 'x-forwarded-for': ip } });

describe('requests of one caller', () => {
  let world: World;
  let cast: Cast;

  it('are answered up to the limit, then refused until the minute is over', async () => {
    world = await start({ API_REQUESTS_PER_MINUTE: '5' });
    cast = await createCast(world);
    for (let left = 4; left >= 0; left -= 1) {
      const { status, headers } = await count(world, cast.admin.token);
      expect([status, headers['ratelimit-limit'], headers['ratelimit-remaining']]).toEqual([
        200,
        '5',
        String(left),
      ]);
      expect(Number(headers['ratelimit-reset'])).toBeGreaterThan(0);
    }
    const { status, headers, body } = await count(world, cast.admin.token);
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(headers['content-type']).toContain('application/problem+json');
    const wait = Number(headers['retry-after']);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(headers['ratelimit-remaining']).toBe('0');
    // Other callers are unaffected, and forbidden requests count too.
    expect((await count(world, cast.teammate.token)).status).toBe(200);
    for (let n = 0; n < 4; n += 1) {
      expect((await world.http('GET', '/api/v1/users', { token: cast.teammate.token })).status).toBe(403);
    }
    expect((await count(world, cast.teammate.token)).status).toBe(429);
  });

  it('are counted by key too, and not at all when the limit is 0', async () => {
    world = await start({ API_REQUESTS_PER_MINUTE: '2' });
    cast = await createCast(world);
    const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
      token: cast.operator.token,
      body: { name: 'Key', scopes: ['users:read'] },
    });
    const headers = { 'x-api-key': (body as { key: string }).key };
    const statuses = [];
    for (let n = 0; n < 3; n += 1)
      statuses.push((await world.http('GET', '/api/v1/users', { headers })).status);
    expect(statuses).toEqual([200, 200, 429]);

    const open = await start({ API_REQUESTS_PER_MINUTE: '0' }, world);
    const answer = await count(open, cast.admin.token);
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('ratelimit-limit');
  });

  it('are counted across all processes', async () => {
    world = await start({ API_REQUESTS_PER_MINUTE: '6' });
    const second = await start({ API_REQUESTS_PER_MINUTE: '6' }, world);
    cast = await createCast(world);
    for (let n = 0; n < 5; n += 1) expect((await count(world, cast.admin.token)).status).toBe(200);
    expect((await count(second, cast.admin.token)).status).toBe(200);
    await until('both processes to know', async () => {
      const answers = await Promise.all([world, second].map((one) => count(one, cast.admin.token)));
      return answers.every(({ status }) => status === 429);
    });
  });

  it('are answered, counted and not delayed while Redis is unreachable', async () => {
    const redis = await startRedis();
    const env = { API_REQUESTS_PER_MINUTE: '60', REDIS_URL: redis.url };
    world = await start(env);
    cast = await createCast(world);
    expect((await count(world, cast.admin.token)).status).toBe(200);
    await redis.stop();
    const began = performance.now();
    for (let n = 0; n < 59; n += 1) expect((await count(world, cast.admin.token)).status).toBe(200);
    // Had each waited for Redis, this would take minutes.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await count(world, cast.admin.token)).body.code).toBe('rate_limited');
    expect((await count(world, cast.teammate.token)).status).toBe(200);
  });
});

it('start again from zero a minute later', async () => {
  const world = await start({ API_REQUESTS_PER_MINUTE: '1' });
  const limits = world.app.get(RequestLimits);
  expect(limits.countPrincipal('user:a')).toMatchObject({ 'ratelimit-remaining': '0' });
  expect(() => limits.countPrincipal('user:a')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  const now = performance.now();
  const time = jest.spyOn(performance, 'now').mockReturnValue(now + 60_001);
  try {
    expect(limits.countPrincipal('user:a')).toMatchObject({ 'ratelimit-reset': '60' });
    expect(() => limits.countPrincipal('user:a')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  } finally {
    time.mockRestore();
  }
});

it('are counted in bounded memory for the maximum number of callers', async () => {
  const world = await start({ API_REQUESTS_PER_MINUTE: '1' });
  const limits = world.app.get(RequestLimits);
  for (let n = 0; n < 50_001; n += 1) limits.countPrincipal(`user:${n}`);
  // The oldest caller has been forgotten, the others have not.
  expect(() => limits.countPrincipal('user:50000')).toThrow();
  expect(limits.countPrincipal('user:0')).not.toBeNull();
});

describe('anonymous requests', () => {
  const login = (world: World, headers: Record<string, string> = {}) =>
    world.http('POST', '/api/v1/auth/login', { body: { email: 'a@example.com', password: 'x' }, headers });

  it('are counted by address: logins, and invalid credentials', async () => {
    const world = await start({ API_ANONYMOUS_REQUESTS_PER_MINUTE: '3' });
    const cast = await createCast(world);
    expect((await login(world)).status).toBe(401);
    expect((await count(world, 'no token')).status).toBe(401);
    expect((await world.http('GET', '/api/v1/users', { headers: { 'x-api-key': 'x' } })).status).toBe(401);
    const refused = await count(world, 'no token');
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(refused.headers['retry-after']).toBeDefined();
    expect((await login(world)).status).toBe(429);
    // Authenticated callers are not anonymous, and load balancers always get an answer.
    expect((await count(world, cast.admin.token)).status).toBe(200);
    for (const path of ['/livez', '/readyz', '/password']) {
      expect([path, (await world.http('GET', path)).status]).toEqual([path, 200]);
    }
  });

  it('are counted on the operators’ login page too: each costs as much as a login', async () => {
    const world = await start({ API_ANONYMOUS_REQUESTS_PER_MINUTE: '2' });
    const onPage = (email: string) =>
      world.http('POST', '/ops/login', {
        body: new URLSearchParams({ email, password: 'x' }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    expect((await onPage('a@example.com')).status).toBe(401);
    expect((await login(world)).status).toBe(401);
    expect((await onPage('b@example.com')).status).toBe(429);
    expect((await world.http('GET', '/ops/login')).status).toBe(200);
  });

  it('are not distinguished by a header that anyone can send', async () => {
    const world = await start({ API_ANONYMOUS_REQUESTS_PER_MINUTE: '2' });
    const statuses = [];
    for (const ip of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
      statuses.push((await count(world, 'x').then(() => login(world, from(ip).headers))).status);
    }
    expect(statuses).toEqual([401, 429, 429]);
  });

  it('are distinguished by the address that a trusted proxy reports', async () => {
    const world = await start({
      API_ANONYMOUS_REQUESTS_PER_MINUTE: '1',
      TRUST_PROXY: 'loopback, 10.0.0.0/8',
    });
    const as = (ip: string) => login(world, from(ip).headers).then(({ status }) => status);
    expect(await as('203.0.113.1')).toBe(401);
    expect(await as('203.0.113.2')).toBe(401);
    expect(await as('203.0.113.1')).toBe(429);
    // Addresses that the client prepended itself change nothing.
    expect(await as('198.51.100.7, 203.0.113.1')).toBe(429);
    // Two of our proxies in a row.
    expect(await as('203.0.113.3, 10.1.2.3')).toBe(401);
    // An invalid address counts as the proxy's.
    expect(await as('somewhere')).toBe(401);
    expect(await as('elsewhere')).toBe(429);
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
])('%p counts as %p', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
