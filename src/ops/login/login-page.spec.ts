import { Redis } from 'ioredis';
import { type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const HOUR = 3_600_000;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** The login of the pages under /ops, without a browser: tests the responses. */
let world: World;
let cast: Cast;
const clock = new FixedClock('2026-03-04T09:00:00Z');

beforeAll(async () => {
  world = await createWorld({ clock, env: { VIGIE_PUBLIC_URL: 'https://vigie.example.fr' } });
  cast = await createCast(world);
});
afterAll(() => world.close());

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  world.http('POST', path, { body, headers: { ...FORM, ...headers } });
const login = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  post('/ops/login', new URLSearchParams(fields).toString(), headers);
const right = () => ({ email: cast.operator.email, password: PASSWORD });
async function signIn(): Promise<string> {
  const { headers } = await login(right());
  return (headers['set-cookie'] as string[])[0]!.split(';')[0]!;
}
const board = (headers: Record<string, string>, method = 'GET', path = '') =>
  world.http(method, `/ops/queues${path}`, { headers });

describe('a login', () => {
  test('leads to the board, with a cookie that scripts and other sites cannot read', async () => {
    const answer = await login(right());
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe('/ops/queues');
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-vigie_session=\S+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure$/,
      ),
      expect.stringMatching(
        /^__Host-vigie_device=\S+; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ]);
    const cookie = await signIn();
    expect((await board({ cookie })).status).toBe(200);
    expect((await board({ cookie: `other=1; ${cookie}; vigie=2` })).status).toBe(200);
  });

  test('is refused with a page in the browser’s language that keeps the address', async () => {
    const wrong = await login(
      { email: '"><b>@example.com', password: 'wrong' },
      { 'accept-language': 'en-GB' },
    );
    expect(wrong.status).toBe(401);
    expect(wrong.headers['set-cookie']).toBeUndefined();
    expect(wrong.text).toContain('The address or the password is wrong.');
    expect(wrong.text).toContain('value="&quot;&gt;&lt;b&gt;@example.com"');
    const french = await login({ ...right(), password: 'wrong' });
    expect(french.text).toContain('<html lang="fr">');
    expect(french.text).toContain('L’adresse ou le mot de passe est incorrect.');
  });

  test('is for operators only: a tenant’s user is unknown here', async () => {
    expect((await login({ email: cast.admin.email, password: PASSWORD })).status).toBe(401);
  });

  test.each(['', 'email=x', 'password=x', 'email=a&email=b&password=c', 'email=%00&password=x', '%'])(
    'with the form %p is refused with the page',
    async (body) => {
      const { status, text } = await post('/ops/login', body);
      expect(status).toBe(400);
      expect(text).toContain('<form method="post" action="/ops/login">');
    },
  );

  test('is rate-limited with a message, together with the API’s login', async () => {
    const email = 'nobody@example.com';
    const byPage = () => login({ email, password: 'x' });
    const byApi = () => world.http('POST', '/api/v1/auth/login', { body: { email, password: 'x' } });
    let refusals = 0;
    while ((await (refusals % 2 === 0 ? byPage : byApi)()).status === 401) refusals += 1;
    expect(refusals).toBeGreaterThanOrEqual(5);
    expect(refusals).toBeLessThanOrEqual(10);
    const slowed = await byPage();
    expect(slowed.status).toBe(429);
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(slowed.text).toMatch(/Trop d’essais\. Réessayez dans \d+\s(seconde|minute)s?\./);
    const redis = new Redis(world.config.redisUrl!);
    await redis.del(await redis.keys(`${world.config.redisPrefix}:login*`));
    redis.disconnect();
  });

  test('S7: is not locked by strangers in a browser that has logged in before', async () => {
    const cookies = ((await login(right())).headers['set-cookie'] as string[]).map(
      (one) => one.split(';')[0],
    );
    const device = cookies.find((one) => one?.startsWith('__Host-vigie_device='))!;
    while ((await login({ ...right(), password: 'wrong' })).status === 401);
    expect((await login(right())).status).toBe(429);
    expect((await login(right(), { cookie: device })).status).toBe(303);
    const redis = new Redis(world.config.redisUrl!);
    await redis.del(await redis.keys(`${world.config.redisPrefix}:login*`));
    redis.disconnect();
  });

  test('is not possible from another site’s page, nor is a logout', async () => {
    const cookie = await signIn();
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'https://vigie.example.fr', host: 'vigie.example.fr' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      const answer = await login(right(), headers);
      expect(answer.status).toBe(403);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect((await post('/ops/logout', '', { cookie, ...headers })).status).toBe(403);
    }
    expect((await board({ cookie })).status).toBe(200);
    for (const headers of [
      { 'sec-fetch-site': 'same-origin' },
      { origin: 'https://vigie.example.fr', host: 'vigie.example.fr' },
    ] as Record<string, string>[]) {
      expect((await login(right(), headers)).status).toBe(303);
    }
  });

  test('has a page with a strict policy, in two languages, that names the logged-in operator', async () => {
    const page = await world.http('GET', '/ops/login', { headers: { 'accept-language': 'de, en;q=0.8' } });
    expect(page.text).toContain('<html lang="en">');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'nonce-[\w-]{24}'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'$/,
    );
    expect(page.headers['cache-control']).toBe('no-store');
    const signedIn = await world.http('GET', '/ops/login', { headers: { cookie: await signIn() } });
    expect(signedIn.text).toContain(cast.operator.email);
    expect(signedIn.text).toContain('action="/ops/logout"');
  });
});

describe('a session', () => {
  test('ends permanently with the logout', async () => {
    const cookie = await signIn();
    const out = await post('/ops/logout', '', { cookie });
    expect(out.status).toBe(303);
    expect(out.headers['set-cookie']).toMatch(/^__Host-vigie_session=; Path=\/; Max-Age=0;/);
    expect((await board({ cookie })).status).toBe(401);
    expect((await post('/ops/logout', '', { cookie })).status).toBe(303);
  });

  test('ends after eight hours, or when its row is revoked or its operator deleted', async () => {
    const cookie = await signIn();
    clock.advance(8 * HOUR - 1);
    expect((await board({ cookie })).status).toBe(200);
    clock.advance(1);
    expect((await board({ cookie })).status).toBe(401);
    const another = await signIn();
    await world.sql('UPDATE operator_sessions SET revoked_at = now()');
    expect((await board({ cookie: another })).status).toBe(401);
    clock.set(new Date('2026-03-04T09:00:00Z'));
  });

  test('leaves no row once it has ended: cleanup deletes it', async () => {
    await world.sql('DELETE FROM operator_sessions');
    await signIn();
    clock.advance(8 * HOUR + 1);
    const cookie = await signIn();
    await runJob(world, cast.tenant_id, 'cleanup');
    expect(await world.sql('SELECT count(*)::int FROM operator_sessions')).toEqual([{ count: 1 }]);
    expect((await board({ cookie })).status).toBe(200);
    clock.set(new Date('2026-03-04T09:00:00Z'));
  });

  test('is the cookie of the console: tokens are not valid as cookies, nor the cookie as a token', async () => {
    const cookie = await signIn();
    const value = cookie.slice('__Host-vigie_session='.length);
    const { body } = await world.http('POST', '/api/v1/auth/login', { body: right() });
    const { access_token, refresh_token } = body as { access_token: string; refresh_token: string };
    for (const token of [access_token, refresh_token, value.replace(/.$/, 'x'), value.split('.')[0]!, '']) {
      expect((await board({ cookie: `__Host-vigie_session=${token}` })).status).toBe(401);
    }
    expect((await board({ authorization: `Bearer ${access_token}` })).status).toBe(401);
    expect((await world.http('GET', '/api/v1/tenants', { token: value })).status).toBe(401);
    expect((await world.http('GET', '/api/v1/tenants', { headers: { cookie } })).status).toBe(200);
    const refreshed = await world.http('POST', '/api/v1/auth/refresh', { body: { refresh_token: value } });
    expect(refreshed.status).toBe(401);
  });
});

describe('the board', () => {
  test('redirects people to the login, and answers scripts with a problem', async () => {
    const page = await board({ accept: 'text/html,*/*' });
    expect([page.status, page.headers.location]).toEqual([303, '/ops/login']);
    for (const path of ['', '/api/queues', '/static/js/main.js', '/queue/mail']) {
      const answer = await board({}, 'GET', path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, 'unauthenticated']);
    }
  });

  test.each([
    ['PUT', '/api/queues/pause'],
    ['PUT', '/api/queues/mail/empty'],
    ['PUT', '/api/queues/mail/obliterate'],
    ['PUT', '/api/queues/mail/clean/wait'],
    ['PUT', '/api/queues/mail/retry/failed'],
    ['PUT', '/api/queues/mail/x/promote'],
    ['POST', '/api/queues/mail/add'],
    ['PATCH', '/api/queues/mail/x/update-data'],
  ])('can not act: %s %s is refused, signed in or not', async (method, path) => {
    for (const headers of [{}, { cookie: await signIn() }] as Record<string, string>[]) {
      const answer = await board(headers, method, path);
      expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    }
  });

  test('does not exist in a process without the web role', async () => {
    const worker = await createWorld({ join: world, clock, env: { VIGIE_ROLES: 'scheduler' } });
    const cookie = await signIn();
    expect((await worker.http('GET', '/ops/queues', { headers: { cookie } })).status).toBe(404);
    expect((await worker.http('GET', '/ops/login')).status).toBe(404);
    await worker.close();
  });
});
