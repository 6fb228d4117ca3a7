import { type Cast, createCast, PASSWORD } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const START = '2026-03-04T09:00:00Z';
const DAY = 86_400_000;
const HOST = 'vigie.example.fr';
const INTRANET = 'https://intranet.example.fr';
const OWN = { host: HOST, origin: `https://${HOST}`, 'sec-fetch-site': 'same-origin' };

let world: World;
let cast: Cast;
const clock = new FixedClock(START);

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: {
      VIGIE_PUBLIC_URL: `https://${HOST}`,
      WEB_ORIGINS: INTRANET,
      REFRESH_TOKEN_DAYS: '7',
      SESSION_MAX_DAYS: '20',
    },
  });
  cast = await createCast(world);
});
afterAll(() => world.close());
beforeEach(() => clock.set(START));

type Headers = Record<string, string>;

const form = (person = cast.admin) => ({ email: person.email, password: PASSWORD, tenant: cast.tenant.slug });
const signIn = (body: object = form(), headers: Headers = OWN) =>
  world.http('POST', '/api/v1/auth/session', { body, headers });

/** The `Cookie` of a browser after this sign-in. */
async function cookieOf(body: object = form(), headers: Headers = OWN): Promise<string> {
  const answer = await signIn(body, headers);
  expect(answer.status).toBe(200);
  return (answer.headers['set-cookie'] as string[]).map((one) => one.split(';')[0]).join('; ');
}

const as = (cookie: string, method: string, path: string, headers: Headers = OWN, body?: unknown) =>
  world.http(method, `/api/v1/${path}`, { headers: { cookie, ...headers }, body });

describe('C6: a sign-in of the console', () => {
  it('C6: sets a cookie that no script and no other site can read, and answers without a secret', async () => {
    const answer = await signIn();
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      kind: 'user',
      id: cast.admin.id,
      role: 'admin',
      tenant_id: cast.tenant_id,
    });
    const attributes = 'HttpOnly; SameSite=Strict; Secure';
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^__Host-vigie_session=\\S+; Path=/; Max-Age=1728000; ${attributes}$`),
      ),
      expect.stringMatching(
        new RegExp(`^__Host-vigie_device=\\S+; Path=/; Max-Age=34560000; ${attributes}$`),
      ),
    ]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('C6: over plain http has a cookie without Secure and without the prefix', async () => {
    const plain = await createWorld({
      join: world,
      clock,
      env: { VIGIE_PUBLIC_URL: 'http://localhost:3000' },
    });
    const answer = await plain.http('POST', '/api/v1/auth/session', { body: form() });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^vigie_session=\S+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^vigie_device=/),
    ]);
    await plain.close();
  });

  it('C6: is refused like a login, with the same limits', async () => {
    for (const body of [
      { ...form(), password: 'wrong' },
      { ...form(), tenant: 'x' },
      { ...form(), email: 'x@y.fr' },
    ]) {
      const answer = await signIn(body);
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_credentials']);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect((await signIn({ email: 'x@y.fr' })).status).toBe(400);
  });

  it('C6: is not possible from a page of another origin', async () => {
    for (const headers of [
      { host: HOST, origin: 'https://evil.example' },
      { host: HOST, origin: INTRANET, 'sec-fetch-site': 'same-site' },
      { host: HOST, origin: 'null', 'sec-fetch-site': 'cross-site' },
    ] as Headers[]) {
      const answer = await signIn(form(), headers);
      expect([answer.status, answer.body.code]).toEqual([403, 'cross_origin']);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  it('C6: ends the session that the browser had', async () => {
    const first = await cookieOf();
    await cookieOf(form(cast.teammate), { ...OWN, cookie: first });
    expect((await as(first, 'GET', 'me')).status).toBe(401);
  });

  it('C6: remembers the browser, so that failures of strangers do not lock its user out', async () => {
    const cookie = await cookieOf(form(cast.teammate));
    for (let attempt = 0; attempt < 10; attempt++)
      await signIn({ ...form(cast.teammate), password: 'wrong' });
    expect((await signIn(form(cast.teammate))).status).toBe(429);
    expect((await signIn(form(cast.teammate), { ...OWN, cookie })).status).toBe(200);
  });

  it('C6: an operator signs in without a tenant, for eight hours, and is also signed in to /ops', async () => {
    const cookie = await cookieOf({ email: cast.operator.email, password: PASSWORD });
    const who = await as(cookie, 'GET', 'auth/session');
    expect(who.body).toEqual({ kind: 'operator', id: cast.operator.id, role: 'operator', tenant_id: null });
    expect((await as(cookie, 'GET', 'tenants')).status).toBe(200);
    const board = () => world.http('GET', '/ops/queues', { headers: { cookie } });
    expect((await board()).status).toBe(200);
    clock.advance(8 * 3_600_000);
    expect((await as(cookie, 'GET', 'tenants')).status).toBe(401);
    expect((await board()).status).toBe(401);
    const user = await cookieOf();
    expect((await world.http('GET', '/ops/queues', { headers: { cookie: user } })).status).toBe(401);
  });
});

describe('C6: the cookie', () => {
  it('C6: authenticates reads, and changes by pages of this server', async () => {
    const cookie = await cookieOf();
    expect((await as(cookie, 'GET', 'auth/session')).body).toMatchObject({ kind: 'user', id: cast.admin.id });
    for (const headers of [OWN, { host: HOST }, { host: HOST, 'sec-fetch-site': 'cross-site' }] as Headers[])
      expect((await as(cookie, 'GET', 'me', headers)).status).toBe(200);
    for (const headers of [
      OWN,
      { host: HOST, 'sec-fetch-site': 'same-origin' },
      { host: HOST, origin: `https://${HOST}` },
    ] as Headers[])
      expect((await as(cookie, 'PUT', 'notifications/read-all', headers)).status).toBe(200);
  });

  it('CSRF: a change by any other page is refused', async () => {
    const cookie = await cookieOf();
    const foreign: Headers[] = [
      { host: HOST, origin: 'https://evil.example' },
      { host: HOST, origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      { host: HOST, origin: `https://${HOST}`, 'sec-fetch-site': 'same-site' },
      { host: HOST, origin: 'null' },
      { host: HOST, 'sec-fetch-site': 'cross-site' },
      { host: HOST },
    ];
    for (const headers of foreign) {
      for (const [method, path, body] of [
        ['PATCH', 'me', { name: 'taken' }],
        ['POST', 'deadlines', { title: 'forged', due_on: '2026-03-31' }],
        ['PUT', 'notifications/read-all', undefined],
        ['DELETE', 'me/sessions', undefined],
      ] as const) {
        const answer = await as(cookie, method, path, headers, body);
        expect([headers, path, answer.status, answer.body.code]).toEqual([
          headers,
          path,
          403,
          'cross_origin',
        ]);
      }
    }
    expect((await as(cookie, 'GET', 'me')).body).toMatchObject({ name: cast.admin.name });
    expect((await as(cookie, 'GET', 'deadlines')).body.data).toEqual([]);
  });

  it('CSRF: no page of WEB_ORIGINS can use it, not even to read', async () => {
    const cookie = await cookieOf();
    for (const site of [
      {},
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-origin' },
    ] as Headers[]) {
      for (const method of ['GET', 'PATCH']) {
        const answer = await as(cookie, method, 'me', { host: HOST, origin: INTRANET, ...site });
        expect([answer.status, answer.body.code]).toEqual([403, 'cross_origin']);
        expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      }
    }
    const { status } = await world.http('GET', '/api/v1/me', {
      token: cast.admin.token,
      headers: { host: HOST, origin: INTRANET },
    });
    expect(status).toBe(200);
  });

  it('C6: is refused together with a token or a key', async () => {
    const cookie = await cookieOf();
    for (const headers of [
      { authorization: `Bearer ${cast.admin.token}` },
      { authorization: 'Bearer x' },
      { 'x-api-key': 'x' },
    ] as Headers[]) {
      const answer = await as(cookie, 'GET', 'me', { ...OWN, ...headers });
      expect([answer.status, answer.body.code]).toEqual([400, 'ambiguous_credentials']);
    }
  });

  it('C6: is refused if it was changed, or signed for another purpose', async () => {
    const cookie = await cookieOf();
    const value = /vigie_session=([^;]+)/.exec(cookie)![1]!;
    const [tenant, , family, signature] = value.split('.');
    for (const forged of [
      value.slice(0, -1),
      `${value}x`,
      [tenant, cast.teammate.id, family, signature].join('.'),
      cast.admin.token,
      cast.admin.refresh_token,
      'x',
    ]) {
      const answer = await as(`__Host-vigie_session=${forged}`, 'GET', 'me');
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
    }
    expect((await world.http('GET', '/api/v1/me', { token: value })).status).toBe(401);
  });
});

describe('C6: a session of the console', () => {
  it('C6: ends with the sign-out, which needs no valid session', async () => {
    const cookie = await cookieOf();
    const foreign = { host: HOST, origin: 'https://evil.example' };
    expect((await as(cookie, 'DELETE', 'auth/session', foreign)).status).toBe(403);
    expect((await as(cookie, 'GET', 'me')).status).toBe(200);
    for (const attempt of [cookie, cookie, '__Host-vigie_session=x', '']) {
      const answer = await as(attempt, 'DELETE', 'auth/session');
      expect(answer.status).toBe(204);
      expect(answer.headers['set-cookie']).toBe(
        '__Host-vigie_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure',
      );
    }
    expect((await as(cookie, 'GET', 'me')).status).toBe(401);
  });

  it('C6: is extended by the server while it is used, up to SESSION_MAX_DAYS', async () => {
    const cookie = await cookieOf();
    const idle = await cookieOf();
    const [, , family] = cookie.split('; ')[0]!.split('.');
    const expiry = async () =>
      (await world.sql<{ at: Date }>('SELECT expires_at AS at FROM sessions WHERE family = $1', [family]))[0]!
        .at;
    for (let day = 3; day <= 18; day += 3) {
      clock.set(new Date(Date.parse(START) + day * DAY));
      expect((await as(cookie, 'GET', 'me')).status).toBe(200);
      const end = new Date(Date.parse(START) + Math.min(day + 7, 20) * DAY);
      await until('the extension', async () => (await expiry()).getTime() === end.getTime());
    }
    expect((await as(idle, 'GET', 'me')).status).toBe(401);
    clock.set(new Date(Date.parse(START) + 20 * DAY));
    expect((await as(cookie, 'GET', 'me')).status).toBe(401);
  });

  it('C6: is listed with the others, and ends like them', async () => {
    const cookie = await cookieOf(form(), { ...OWN, 'user-agent': 'Firefox' });
    const { body } = await as(cookie, 'GET', 'me/sessions');
    const current = (body.data as { id: string; current: boolean; user_agent: string }[]).find(
      (one) => one.current,
    );
    expect(current).toMatchObject({ user_agent: 'Firefox' });
    const other = await cookieOf();
    expect((await as(other, 'DELETE', `me/sessions/${current!.id}`)).status).toBe(204);
    expect((await as(cookie, 'GET', 'me')).status).toBe(401);
    await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [cast.tenant_id]);
    expect((await as(other, 'GET', 'me')).body).toMatchObject({ code: 'tenant_suspended' });
    await world.sql(`UPDATE tenants SET suspended_at = NULL WHERE id = $1`, [cast.tenant_id]);
  });
});
