import { Redis } from 'ioredis';
import { addPerson, type Cast, createCast, PASSWORD, type Person } from '../../../test/support/cast.js';
import { tokenOf } from '../../../test/support/links.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Database } from '../../platform/database/database.js';
import { PasswordLinks } from '../password/password-links.js';
import { LoginThrottle } from './login-throttle.js';

const NEW = 'an entirely new password';
let world: World;
let cast: Cast;
let redis: Redis;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ env: { TRUST_PROXY: 'loopback' } });
  cast = await createCast(world);
  redis = new Redis(world.config.redisUrl!);
});
afterAll(async () => {
  redis.disconnect();
  await world.close();
});

const someone = (): Promise<Person> => addPerson(world, cast.tenant_id, { name: `Olga${count++}` });
const loginAs = (email: string, password: string, from: string, device_token?: string) =>
  world.http('POST', '/api/v1/auth/login', {
    body: { email, password, tenant: cast.tenant.slug, device_token },
    headers: { 'x-forwarded-for': from },
  });

/** Ends the delays between attempts, as if time had passed. */
async function waitOver(...names: string[]): Promise<void> {
  for (const name of names) {
    const keys = await redis.keys(`${world.config.redisPrefix}:${name}:*`);
    if (keys.length > 0) await redis.del(keys);
  }
}

/** As if each account that this limit counts had used so much of it. */
async function used(name: string, points: number): Promise<void> {
  const keys = await redis.keys(`${world.config.redisPrefix}:${name}:*`);
  expect(keys).not.toEqual([]);
  for (const key of keys) await redis.set(key, points, 'KEEPTTL');
}

/** Guesses until the address is locked. */
async function lock(email: string, from: string, device?: string): Promise<void> {
  for (let failure = 1; failure <= 10; failure++) {
    expect((await loginAs(email, 'wrong', from, device)).status).toBe(401);
    await waitOver('login-wait');
  }
  expect((await loginAs(email, PASSWORD, from, device)).status).toBe(429);
}

describe('S7: a stranger who guesses', () => {
  it('locks their own address, not the owner’s', async () => {
    const { email } = await someone();
    await lock(email, '203.0.113.9');
    expect((await loginAs(email, PASSWORD, '198.51.100.1')).status).toBe(200);
    expect((await loginAs(email, PASSWORD, '203.0.113.9')).status).toBe(429);
  });

  it('counts as one source in an entire IPv6 network', async () => {
    const { email } = await someone();
    for (let failure = 1; failure <= 10; failure++) {
      expect((await loginAs(email, 'wrong', `2001:db8:1:1::${failure}`)).status).toBe(401);
      await waitOver('login-wait');
    }
    expect((await loginAs(email, PASSWORD, '2001:db8:1:1::ffff')).status).toBe(429);
    expect((await loginAs(email, PASSWORD, '2001:db8:1:2::1')).status).toBe(200);
  });

  it('does not lock a device that has signed in before, even behind the same address', async () => {
    const { email } = await someone();
    const { device_token } = (await loginAs(email, PASSWORD, '203.0.113.10')).body as {
      device_token: string;
    };
    await lock(email, '203.0.113.10');
    const again = await loginAs(email, PASSWORD, '203.0.113.10', device_token);
    expect(again.status).toBe(200);
    expect(again.body.device_token).toBe(device_token);
  });

  it('from many addresses only slows down unknown devices, never known ones', async () => {
    const { email } = await someone();
    const { device_token } = (await loginAs(email, PASSWORD, '198.51.100.7')).body as {
      device_token: string;
    };
    for (let failure = 0; failure < 50; failure++) {
      expect((await loginAs(email, 'wrong', `203.0.113.${100 + failure}`)).status).toBe(401);
    }
    // One turn every 10 s: the first takes it; the second waits and does not count as a guess.
    expect((await loginAs(email, 'wrong', '203.0.113.200')).status).toBe(401);
    const slowed = await loginAs(email, PASSWORD, '198.51.100.8');
    expect(slowed.status).toBe(429);
    expect(Number(slowed.headers['retry-after'])).toBeLessThanOrEqual(10);
    expect((await loginAs(email, PASSWORD, '198.51.100.9', device_token)).status).toBe(200);
    await waitOver('login-turn');
    expect((await loginAs(email, PASSWORD, '198.51.100.8')).status).toBe(200);
  }, 30_000);

  it('cannot pass for a known device with another account’s token, a forged one, or one that guesses', async () => {
    const [victim, attacker] = [await someone(), await someone()];
    const { device_token: theirs } = (await loginAs(attacker.email, PASSWORD, '203.0.113.11')).body as {
      device_token: string;
    };
    await lock(victim.email, '203.0.113.11', theirs);
    expect((await loginAs(victim.email, PASSWORD, '203.0.113.11', `${theirs}x`)).status).toBe(429);

    const { device_token: own } = (await loginAs(victim.email, PASSWORD, '198.51.100.2')).body as {
      device_token: string;
    };
    for (let failure = 1; failure <= 10; failure++) {
      expect((await loginAs(victim.email, 'wrong', '203.0.113.11', own)).status).toBe(401);
      await waitOver('login-wait');
    }
    // A stolen token that guesses is treated like the address it guesses from.
    expect((await loginAs(victim.email, PASSWORD, '203.0.113.11', own)).status).toBe(429);
    expect((await loginAs(victim.email, PASSWORD, '198.51.100.2', own)).status).toBe(200);
  });

  it('has no known device left once the password changes', async () => {
    const { email, token } = await someone();
    const { device_token } = (await loginAs(email, PASSWORD, '198.51.100.20')).body as {
      device_token: string;
    };
    const body = { current_password: PASSWORD, new_password: NEW };
    expect((await world.http('POST', '/api/v1/auth/password/change', { token, body })).status).toBe(204);
    await lock(email, '203.0.113.21');
    expect((await loginAs(email, NEW, '203.0.113.21', device_token)).status).toBe(429);
    const again = await loginAs(email, NEW, '198.51.100.20', device_token);
    expect(again.status).toBe(200);
    expect(again.body.device_token).not.toBe(device_token);
    expect((await loginAs(email, NEW, '203.0.113.21', String(again.body.device_token))).status).toBe(200);
  });

  it('with many stolen device tokens shares 50 attempts an hour, then takes turns', async () => {
    const { email } = await someone();
    const device = async () => String((await loginAs(email, PASSWORD, '198.51.100.21')).body.device_token);
    const [one, two] = [await device(), await device()];
    expect((await loginAs(email, 'wrong', '203.0.113.22', one)).status).toBe(401);
    await used('login-known', 50);
    await used('login-unknown', 50);
    expect((await loginAs(email, 'wrong', '203.0.113.22', two)).status).toBe(401);
    const slowed = await loginAs(email, 'wrong', '203.0.113.22', one);
    expect(slowed.status).toBe(429);
    expect(Number(slowed.headers['retry-after'])).toBeLessThanOrEqual(10);
  });

  it('does not keep out who has just chosen a new password by a link', async () => {
    const person = await someone();
    const links = world.app.get(PasswordLinks, { strict: false });
    const { link_id } = await world.app
      .get(Database)
      .tenant(cast.tenant_id, (tx) => links.create(tx, person.id, 'password_reset'));
    const set = await world.http('POST', '/api/v1/auth/password', {
      body: { token: tokenOf(links.url(cast.tenant_id, link_id)), password: NEW },
      headers: { 'x-forwarded-for': '198.51.100.22' },
    });
    expect(set.status).toBe(204);
    expect((await loginAs(person.email, 'wrong', '203.0.113.23')).status).toBe(401);
    await used('login-unknown', 50);
    expect((await loginAs(person.email, 'wrong', '203.0.113.24')).status).toBe(401);
    expect((await loginAs(person.email, 'wrong', '203.0.113.25')).status).toBe(429);
    expect((await loginAs(person.email, NEW, '198.51.100.22')).status).toBe(200);
  });

  it('at the current password of a stolen session locks that session, not the sign-in', async () => {
    const { email, token } = await someone();
    const change = () =>
      world.http('POST', '/api/v1/auth/password/change', {
        token,
        body: { current_password: 'wrong', new_password: 'an entirely new password' },
      });
    for (let failure = 1; failure <= 10; failure++) {
      expect((await change()).status).toBe(400);
      await waitOver('login-wait');
    }
    expect((await change()).status).toBe(429);
    expect((await loginAs(email, PASSWORD, '198.51.100.3')).status).toBe(200);
  });

  it('is forgotten when the account is unlocked', async () => {
    const { email } = await someone();
    await lock(email, '203.0.113.12');
    const throttle = world.app.get(LoginThrottle, { strict: false });
    expect(await throttle.unlock({ tenant: cast.tenant.slug, email })).toBeGreaterThan(0);
    expect((await loginAs(email, PASSWORD, '203.0.113.12')).status).toBe(200);
  });
});

describe('S7: a stranger who asks for links', () => {
  const ask = (email: string, from: string, device_token?: string) =>
    world.http('POST', '/api/v1/auth/password-reset', {
      body: { email, tenant: cast.tenant.slug, device_token },
      headers: { 'x-forwarded-for': from },
    });
  const links = async ({ id }: Person) =>
    (await world.sql(`SELECT 1 FROM notifications WHERE user_id = $1 AND kind = 'password_reset'`, [id]))
      .length;

  it('uses up their own three an hour, not the owner’s', async () => {
    const person = await someone();
    for (let request = 0; request < 5; request++) await ask(person.email, '203.0.113.20');
    expect(await links(person)).toBe(3);
    await ask(person.email, '198.51.100.4');
    expect(await links(person)).toBe(4);
  });

  it('from many addresses fills no mailbox, and a known device still gets one', async () => {
    const person = await someone();
    const { device_token } = (await loginAs(person.email, PASSWORD, '198.51.100.5')).body as {
      device_token: string;
    };
    await Promise.all(Array.from({ length: 30 }, (_, at) => ask(person.email, `203.0.113.${at + 30}`)));
    expect(await links(person)).toBe(20);
    await ask(person.email, '198.51.100.5', device_token);
    expect(await links(person)).toBe(21);
  });
});

describe('S9: a refused sign-in is in the audit log', () => {
  const rows = (table: string) =>
    world.sql<{ actor: string; status: number; ip: string }>(
      `SELECT actor, status, ip FROM ${table} WHERE action = 'POST /api/v1/auth/login' AND ip LIKE '192.0.2.%' ORDER BY ip`,
    );

  it('with its address, for a member, an unknown user, and an unknown tenant', async () => {
    const { id, email } = await someone();
    await loginAs(email, 'wrong', '192.0.2.1');
    await loginAs('nobody@example.com', 'wrong', '192.0.2.2');
    await world.http('POST', '/api/v1/auth/login', {
      body: { email, password: 'wrong', tenant: 'no-such-tenant' },
      headers: { 'x-forwarded-for': '192.0.2.3' },
    });
    await until('the rows', async () => (await rows('installation_audit_log')).length === 1);
    expect(
      await until('both', async () => ((await rows('audit_log')).length === 2 ? rows('audit_log') : null)),
    ).toEqual([
      { actor: `user:${id}`, status: 401, ip: '192.0.2.1' },
      { actor: 'anonymous', status: 401, ip: '192.0.2.2' },
    ]);
    expect(await rows('installation_audit_log')).toEqual([
      { actor: 'anonymous', status: 401, ip: '192.0.2.3' },
    ]);
    const read = await world.http('GET', '/api/v1/admin/audit?actor=anonymous', { token: cast.admin.token });
    expect(read.body.data).toMatchObject([{ actor_kind: 'anonymous', status: 401 }]);
  });

  it('also where the throttle refused it', async () => {
    const { id, email } = await someone();
    await lock(email, '192.0.2.4');
    const refused = async () => (await rows('audit_log')).filter(({ ip }) => ip === '192.0.2.4');
    const last = await until('the refusal', async () =>
      (await refused()).find(({ status }) => status === 429),
    );
    expect(last.actor).toBe(`user:${id}`);
  });

  it('at most 60 times an hour from one address: nobody can fill the log', async () => {
    await Promise.all(
      Array.from({ length: 70 }, (_, at) => loginAs(`nobody${at}@example.com`, 'wrong', '192.0.2.9')),
    );
    const recorded = async () => (await rows('audit_log')).filter(({ ip }) => ip === '192.0.2.9').length;
    await until('60 rows', async () => (await recorded()) >= 60);
    expect(await recorded()).toBe(60);
  }, 30_000);
});
