import { decodeProtectedHeader } from 'jose';
import { addPerson, type Cast, createCast, PASSWORD, type Person } from '../../../test/support/cast.js';
import { tokenOf } from '../../../test/support/links.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Database } from '../../platform/database/database.js';
import { PasswordLinks } from '../password/password-links.js';
import { Signing } from './signing.js';

const FIRST = 'q3X0m8Wv1bZr7Kc5Yt2Ld9Hf4Nj6Gp0s';
const NEXT = 'mZ4x8QpL2vN7tR9wK1sYb6cH3dF5gJ0a';
const NEW = 'an entirely new password';

/** One installation: a process with the first secret, one with the next and the first, one with only the next. */
let before: World;
let during: World;
let after: World;
let cast: Cast;
let count = 0;

beforeAll(async () => {
  before = await createWorld({ env: { JWT_SECRET: FIRST } });
  cast = await createCast(before);
  during = await createWorld({ join: before, env: { JWT_SECRET: NEXT, JWT_SECRET_PREVIOUS: FIRST } });
  after = await createWorld({ join: before, env: { JWT_SECRET: NEXT } });
});
afterAll(async () => {
  await after.close();
  await during.close();
  await before.close();
});

const someone = (): Promise<Person> => addPerson(before, cast.tenant_id, { name: `Rosa${count++}` });
const me = async (world: World, token: string) => (await world.http('GET', '/api/v1/me', { token })).status;
const refresh = (world: World, refresh_token: string) =>
  world.http('POST', '/api/v1/auth/refresh', { body: { refresh_token } });

describe('S9: a new JWT_SECRET, with the previous one in JWT_SECRET_PREVIOUS', () => {
  it('signs nobody out, and moves sessions to the new secret as they are used', async () => {
    const { token, refresh_token } = await someone();
    expect([await me(during, token), await me(after, token)]).toEqual([200, 401]);
    expect((await refresh(after, refresh_token)).status).toBe(401);
    const moved = await refresh(during, refresh_token);
    expect(moved.status).toBe(200);
    expect(await me(after, String(moved.body.access_token))).toBe(200);
    expect((await refresh(after, String(moved.body.refresh_token))).status).toBe(200);
  });

  it('keeps devices known, and moves them to the new secret as they sign in', async () => {
    const { email } = await someone();
    const login = async (world: World, device_token?: string) => {
      const body = { email, password: PASSWORD, tenant: cast.tenant.slug, device_token };
      return String((await world.http('POST', '/api/v1/auth/login', { body })).body.device_token);
    };
    const first = await login(before);
    const moved = await login(during, first);
    expect(moved).not.toBe(first);
    // A client that is not known is given another one.
    expect(await login(after, moved)).toBe(moved);
    expect(await login(after, first)).not.toBe(moved);
  });

  it('gives a lost answer again as it was, whichever process is asked', async () => {
    const { refresh_token } = await someone();
    const first = await refresh(before, refresh_token);
    const again = await refresh(during, refresh_token);
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
    expect((await refresh(during, String(again.body.refresh_token))).status).toBe(200);
  });

  it('keeps sent links valid', async () => {
    const person = await someone();
    const links = before.app.get(PasswordLinks, { strict: false });
    const { link_id } = await before.app
      .get(Database)
      .tenant(cast.tenant_id, (tx) => links.create(tx, person.id, 'password_reset'));
    const token = tokenOf(links.url(cast.tenant_id, link_id));
    const set = (world: World) =>
      world.http('POST', '/api/v1/auth/password', { body: { token, password: NEW } });
    expect((await set(after)).status).toBe(400);
    expect((await set(during)).status).toBe(204);
  });
});

describe('S9: each purpose has a separate key', () => {
  it('and access tokens name theirs', async () => {
    const { token } = await someone();
    const signing = before.app.get(Signing, { strict: false });
    const { kid, key } = signing.accessTokenKey();
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT', kid });
    expect(Buffer.from(key).toString()).not.toContain(FIRST.slice(0, 8));
    for (const other of [{}, { kid: 'nobody' }, { kid: 7 }]) {
      const [, payload, signature] = token.split('.');
      const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', ...other })).toString(
        'base64url',
      );
      expect(await me(before, `${header}.${payload}.${signature}`)).toBe(401);
    }
  });

  it('so a signature for one purpose is invalid for another', () => {
    const signing = before.app.get(Signing, { strict: false });
    const sealed = signing.seal('password_link', 'a.b');
    expect(signing.unseal('password_link', sealed)).toEqual(['a', 'b']);
    for (const purpose of ['refresh_token', 'session_cookie', 'device', 'access_token'] as const) {
      expect(signing.unseal(purpose, sealed)).toBeNull();
    }
  });
});
