import { createHmac, randomUUID } from 'node:crypto';
import { Reflector } from '@nestjs/core';
import { SignJWT, UnsecuredJWT } from 'jose';
import pg from 'pg';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { addPerson, type Cast, createCast, type Person } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { AccessGuard } from './access.guard.js';
import { AuditLog } from '../platform/audit/audit-log.js';
import { RequestLimits } from '../platform/http/request-limits.js';
import { Authenticator } from './authenticator.js';
import { SessionCookies } from './sessions/session-cookies.js';
import { Refusals } from './refusals.js';
import { Signing } from './sessions/signing.js';

const NOW = '2026-03-02T09:00:00Z';
const clock = new FixedClock(NOW);
let world: World;
let cast: Cast;
let person: Person;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ clock });
  cast = await createCast(world);
});

beforeEach(async () => {
  clock.set(NOW);
  person = await addPerson(world, cast.tenant.id, { name: `Greta${count++}` });
});

afterAll(() => world.close());

const get = (path: string, token: string) => world.http('GET', `/api/v1/${path}`, { token });
const withKey = (method: string, path: string, key: string, body?: unknown) =>
  world.http(method, `/api/v1/${path}`, { headers: { 'x-api-key': key }, body });

async function newKey(scopes: string[], rest: object = {}): Promise<{ id: string; key: string }> {
  const answer = await world.http('POST', `/api/v1/tenants/${cast.tenant.id}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'Key', scopes, ...rest },
  });
  expect(answer.status).toBe(201);
  return answer.body;
}

describe('an access token', () => {
  interface Forgery {
    secret?: string;
    issuer?: string;
    audience?: string;
    algorithm?: string;
    claims?: object;
    sub?: string;
    issuedAt?: number;
    expiresAt?: number;
  }
  const seconds = new Date(NOW).getTime() / 1_000;
  const family = () => person.refresh_token.split('.')[1];

  const sign = (forgery: Forgery = {}) => {
    const { kid, key } = world.app.get(Signing, { strict: false }).accessTokenKey();
    return new SignJWT({ tenant_id: cast.tenant.id, role: 'member', family: family(), ...forgery.claims })
      .setProtectedHeader({ alg: forgery.algorithm ?? 'HS256', kid })
      .setSubject(forgery.sub ?? person.id)
      .setIssuer(forgery.issuer ?? 'vigie')
      .setAudience(forgery.audience ?? 'vigie-api')
      .setIssuedAt(forgery.issuedAt ?? seconds)
      .setExpirationTime(forgery.expiresAt ?? seconds + 900)
      .sign(forgery.secret === undefined ? key : new TextEncoder().encode(forgery.secret));
  };

  it('is one signed with our secret, for this issuer and audience', async () => {
    expect((await get('me', await sign())).status).toBe(200);
  });

  it.each<[string, () => Forgery]>([
    ['the secret itself, not its key', () => ({ secret: world.config.jwtSecret! })],
    ['another secret', () => ({ secret: 'a secret of somebody else, 32 and more' })],
    ['another issuer', () => ({ issuer: 'elsewhere' })],
    ['another audience', () => ({ audience: 'another-api' })],
    ['another algorithm', () => ({ algorithm: 'HS512' })],
    ['an expiry in the past', () => ({ issuedAt: seconds - 901, expiresAt: seconds - 1 })],
    ['another user', () => ({ sub: cast.admin.id })],
    ['an unknown user', () => ({ sub: randomUUID() })],
    ['a malformed id', () => ({ sub: "' OR true --" })],
    ['another tenant', () => ({ claims: { tenant_id: cast.other.tenant.id } })],
    ['no tenant', () => ({ claims: { tenant_id: undefined } })],
    ['an operator', () => ({ claims: { tenant_id: undefined, role: 'operator' } })],
    ['a session of another user', () => ({ claims: { family: cast.admin.refresh_token.split('.')[1] } })],
    ['no session', () => ({ claims: { family: undefined } })],
  ])('is refused with %s', async (_what, forgery) => {
    const answer = await get('me', await sign(forgery()));
    expect(answer.status).toBe(401);
    expect(answer.body.code).toBe('unauthenticated');
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('is refused when unsigned, truncated, changed or nonsense', async () => {
    const good = await sign();
    const [header, payload, signature] = good.split('.');
    const admin = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), sub: cast.admin.id }),
    ).toString('base64url');
    const unsigned = new UnsecuredJWT({ tenant_id: cast.tenant.id, role: 'admin', family: family() })
      .setSubject(person.id)
      .setIssuer('vigie')
      .setAudience('vigie-api')
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 900)
      .encode();
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const forged = createHmac('sha256', '').update(`${header}.${payload}`).digest('base64url');
    const tokens = [
      unsigned,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${forged}`,
      `${header}.${admin}.${signature}`,
      good.slice(0, -2),
      person.refresh_token,
      'nonsense',
      '..',
    ];
    for (const token of tokens) expect((await get('me', token)).status).toBe(401);
    expect((await get('me', good)).status).toBe(200);
  });

  it('expires', async () => {
    clock.advance(899_000);
    expect((await get('me', person.token)).status).toBe(200);
    clock.advance(1_000);
    expect((await get('me', person.token)).status).toBe(401);
  });

  it('is required: without one the answer is 401, whatever the header holds', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic YTpi', person.token, 'Bearer a b']) {
      const answer = await world.http('GET', '/api/v1/me', { headers: { authorization } });
      expect(answer.status).toBe(401);
    }
    expect((await world.http('GET', '/api/v1/me')).status).toBe(401);
  });

  it('stops working at once when the user is erased or the tenant suspended', async () => {
    await world.http('DELETE', `/api/v1/users/${person.id}`, { token: cast.admin.token });
    expect((await get('me', person.token)).status).toBe(401);
    const suspend = (suspended: boolean) =>
      world.http('PATCH', `/api/v1/tenants/${cast.other.tenant.id}`, {
        token: cast.operator.token,
        body: { suspended },
      });
    await suspend(true);
    const answer = await get('me', cast.outsider.token);
    expect([answer.status, answer.body.code]).toEqual([403, 'tenant_suspended']);
    await suspend(false);
    expect((await get('me', cast.outsider.token)).status).toBe(200);
  });

  it('gives the socket gateway the caller and the expiry', async () => {
    const recognised = await world.app.get(Authenticator, { strict: false }).byToken(person.token);
    expect(recognised).toEqual({
      caller: {
        kind: 'user',
        tenant_id: cast.tenant.id,
        principal: `user:${person.id}`,
        user_id: person.id,
        agent_id: null,
        role: 'member',
      },
      session: person.refresh_token.split('.')[1],
      expires_at: new Date('2026-03-02T09:15:00Z'),
    });
  });
});

describe('roles', () => {
  it('separate members from admins, and operators from tenants', async () => {
    const statuses = async (path: string) =>
      Promise.all(
        [cast.teammate, cast.admin, cast.operator].map(async ({ token }) => (await get(path, token)).status),
      );
    expect(await statuses('me')).toEqual([200, 200, 403]);
    expect(await statuses('users')).toEqual([403, 200, 403]);
    expect(await statuses('tenant/settings')).toEqual([403, 200, 403]);
    expect(await statuses('tenants')).toEqual([403, 403, 200]);
    expect(await statuses(`tenants/${cast.tenant.id}/api-keys`)).toEqual([403, 403, 200]);
  });
});

describe('an API key', () => {
  it('is shown once, and stored as a hash', async () => {
    const { id, key } = await newKey(['users:read']);
    expect(key).toMatch(new RegExp(`^vk_${cast.tenant.id}_[\\w-]{43}$`));
    const [row] = await world.sql(`SELECT api_keys::text AS text FROM api_keys WHERE id = $1`, [id]);
    expect(row!.text).not.toContain(key.slice(-43));
    const list = await get(`tenants/${cast.tenant.id}/api-keys`, cast.operator.token);
    expect(list.body.data[0]).toMatchObject({ id, name: 'Key', scopes: ['users:read'], revoked_at: null });
    expect(list.text).not.toContain(key);
    expect(list.text).not.toContain('_hash');
  });

  it('does what its scopes allow, in its tenant, and nothing else', async () => {
    const { key } = await newKey(['users:read']);
    const list = await withKey('GET', 'users', key);
    expect(list.status).toBe(200);
    expect(list.body.data.map(({ tenant_id }: { tenant_id: string }) => tenant_id)).not.toContain(
      cast.other.tenant.id,
    );
    expect((await withKey('GET', `users/${cast.outsider.id}`, key)).status).toBe(404);
    const refused: [string, string, object?][] = [
      ['POST', 'users', { name: 'X', email: 'x@example.com' }],
      ['DELETE', `users/${person.id}`],
      ['GET', 'tenant/settings'],
      ['GET', 'me'],
      ['GET', 'preferences'],
      ['GET', 'tenants'],
    ];
    for (const [method, path, body] of refused) {
      const answer = await withKey(method, path, key, body);
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'forbidden']);
    }
    const { key: admin } = await newKey(['admin']);
    expect((await withKey('GET', 'tenant/settings', admin)).status).toBe(200);
    expect((await withKey('GET', 'users', admin)).status).toBe(403);
    expect((await withKey('GET', 'tenants', admin)).status).toBe(403);
  });

  it('is refused together with a token', async () => {
    const { key } = await newKey(['users:read']);
    for (const authorization of [`Bearer ${cast.admin.token}`, 'nonsense']) {
      const answer = await world.http('GET', '/api/v1/users', {
        headers: { 'x-api-key': key, authorization },
      });
      expect([answer.status, answer.body.code]).toEqual([400, 'ambiguous_credentials']);
    }
  });

  it('is refused when invalid, or when it names another tenant', async () => {
    const { key } = await newKey(['users:read']);
    const forged = [
      '',
      'vk_',
      key.slice(0, -1),
      `${key}x`,
      key.replace(cast.tenant.id, cast.other.tenant.id),
      key.replace(cast.tenant.id, 'x'),
      `vk_${cast.tenant.id}_${'A'.repeat(43)}`,
    ];
    for (const one of forged) expect((await withKey('GET', 'users', one)).status).toBe(401);
  });

  it('ends when revoked, when it expires, and when its tenant is suspended', async () => {
    const { id, key } = await newKey(['users:read']);
    const path = `/api/v1/tenants/${cast.tenant.id}/api-keys/${id}`;
    expect((await world.http('DELETE', path, { token: cast.operator.token })).status).toBe(204);
    expect((await withKey('GET', 'users', key)).status).toBe(401);
    expect((await world.http('DELETE', path, { token: cast.operator.token })).status).toBe(204);

    const short = await newKey(['users:read'], { expires_at: '2026-03-02T10:10:00+01:00' });
    expect((await withKey('GET', 'users', short.key)).status).toBe(200);
    clock.set('2026-03-02T09:10:00Z');
    expect((await withKey('GET', 'users', short.key)).status).toBe(401);

    const other = await newKey(['users:read']);
    await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [cast.tenant.id]);
    expect((await withKey('GET', 'users', other.key)).body.code).toBe('tenant_suspended');
    await world.sql(`UPDATE tenants SET suspended_at = NULL WHERE id = $1`, [cast.tenant.id]);
  });

  it('remembers its last use to the minute', async () => {
    const { id, key } = await newKey(['users:read']);
    const used = (at: string) =>
      until(`a use at ${at}`, async () => {
        const [row] = await world.sql<{ last_used_at: Date | null }>(
          `SELECT last_used_at FROM api_keys WHERE id = $1`,
          [id],
        );
        return row!.last_used_at?.toISOString() === at;
      });
    const use = () => withKey('GET', 'users', key);
    await use();
    await used('2026-03-02T09:00:00.000Z');
    clock.advance(59_999);
    await use();
    clock.advance(1);
    // Had the previous use been written, this one would not be.
    await use();
    await used('2026-03-02T09:01:00.000Z');
  });

  it('is accepted even when its last use cannot be written, and does not wait for the write', async () => {
    const { id, key } = await newKey(['users:read']);
    const holder = new pg.Client({ connectionString: world.config.databaseUrl! });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM api_keys WHERE id = $1 FOR UPDATE', [id]);
    try {
      // The first would wait for the lock, and so would each later write.
      for (let n = 0; n < 15; n += 1) expect((await withKey('GET', 'users', key)).status).toBe(200);
    } finally {
      await holder.query('ROLLBACK');
      await holder.end();
    }
  });

  it('requires an existing tenant, existing scopes and an expiry in the future', async () => {
    const make = (tenantId: string, body: object) =>
      world.http('POST', `/api/v1/tenants/${tenantId}/api-keys`, { token: cast.operator.token, body });
    const unknown = await make(randomUUID(), { name: 'K', scopes: ['admin'] });
    expect(unknown.status).toBe(404);
    expect((await make('x', { name: 'K', scopes: ['admin'] })).text).toBe(unknown.text);
    const faults: [object, string][] = [
      [{ name: 'K', scopes: [] }, '/scopes'],
      [{ name: 'K', scopes: ['root'] }, '/scopes'],
      [{ name: 'K', scopes: ['admin', 'admin'] }, '/scopes'],
      [{ name: ' ', scopes: ['admin'] }, '/name'],
      [{ name: 'K', scopes: ['admin'], expires_at: NOW }, '/expires_at'],
      [{ name: 'K', scopes: ['admin'], expires_at: 'tomorrow' }, '/expires_at'],
      [{ name: 'K', scopes: ['admin'], expires_at: '2026-02-30T00:00:00Z' }, '/expires_at'],
    ];
    for (const [body, pointer] of faults) {
      const answer = await make(cast.tenant.id, body);
      expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
    }
    // A key of one tenant is not found under another.
    const { id } = await newKey(['admin']);
    const elsewhere = `/api/v1/tenants/${cast.other.tenant.id}/api-keys/${id}`;
    expect((await world.http('DELETE', elsewhere, { token: cast.operator.token })).status).toBe(404);
  });
});

it('refuses every caller on a route without a rule', async () => {
  class Forgotten {
    route(): void {
      // Has no @Access.
    }
  }
  const guard = new AccessGuard(
    new Reflector(),
    world.app.get(Authenticator, { strict: false }),
    world.app.get(SessionCookies, { strict: false }),
    world.app.get(RequestLimits, { strict: false }),
    world.app.get(Refusals, { strict: false }),
    world.app.get(AuditLog, { strict: false }),
  );
  const context = {
    getType: () => 'http',
    getHandler: () => Object.getOwnPropertyDescriptor(Forgotten.prototype, 'route')!.value as () => void,
    getClass: () => Forgotten,
  };
  await expect(guard.canActivate(context as never)).rejects.toMatchObject({ code: 'forbidden' });
});
