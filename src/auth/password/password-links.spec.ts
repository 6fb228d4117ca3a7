import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { addPerson, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { tokenOf } from '../../../test/support/links.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { UserEvents } from '../../users/user-events.js';
import { type LinkPurpose, PasswordLinks } from './password-links.js';

const clock = new FixedClock('2026-03-02T09:00:00Z');
const NEW = 'an entirely new password';
let world: World;
let cast: Cast;
let person: Person;
let links: PasswordLinks;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ clock, env: { VIGIE_PUBLIC_URL: 'https://vigie.example/' } });
  cast = await createCast(world);
  links = world.app.get(PasswordLinks, { strict: false });
});

beforeEach(async () => {
  person = await addPerson(world, cast.tenant.id, { name: `Emil${count++}` });
});

afterAll(() => world.close());

/** The token of a fresh link, as in the mail. */
async function link(purpose: LinkPurpose = 'welcome'): Promise<string> {
  const { link_id } = await world.app
    .get(Database)
    .tenant(cast.tenant.id, (tx) => links.create(tx, person.id, purpose));
  const url = links.url(cast.tenant.id, link_id);
  expect(url).toMatch(/^https:\/\/vigie\.example\/password#token=[\w.-]+$/);
  return tokenOf(url);
}

const set = (token: string, password = NEW) =>
  world.http('POST', '/api/v1/auth/password', { body: { token, password } });
const login = (password: string) =>
  world.http('POST', '/api/v1/auth/login', {
    body: { email: person.email, password, tenant: cast.tenant.slug },
  });

it('sets the password and ends existing sessions', async () => {
  expect((await set(await link())).status).toBe(204);
  expect((await login(NEW)).status).toBe(200);
  expect((await login(person.password)).status).toBe(401);
  expect((await world.http('GET', '/api/v1/me', { token: person.token })).status).toBe(401);
});

it('works once, even for many at the same moment', async () => {
  const token = await link();
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, position) => set(token, `password number ${position}`)),
  );
  const won = answers.findIndex(({ status }) => status === 204);
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 410, 410, 410, 410, 410]);
  expect(answers.find(({ status }) => status === 410)?.body.code).toBe('link_used');
  expect((await login(`password number ${won}`)).status).toBe(200);
});

it('S9: has no success in the audit log where the password could not be stored', async () => {
  const admin = await addPerson(world, cast.tenant_id, { name: `Frida${count++}`, role: 'admin' });
  const { link_id } = await world.app
    .get(Database)
    .tenant(cast.tenant.id, (tx) => links.create(tx, admin.id, 'password_reset'));
  await world.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`);
  await world.sql(`CREATE CONSTRAINT TRIGGER refused AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
                   FOR EACH ROW EXECUTE FUNCTION refuse()`);
  const token = tokenOf(links.url(cast.tenant.id, link_id));
  expect((await set(token)).status).toBe(500);
  await world.sql(`DROP TRIGGER refused ON users`);
  expect((await set(token)).status).toBe(204);
  const statuses = await world.sql(
    `SELECT status FROM audit_log WHERE actor = $1 AND action = 'POST /api/v1/auth/password' ORDER BY id`,
    [`user:${admin.id}`],
  );
  expect(statuses).toEqual([{ status: 500 }, { status: 204 }]);
});

it('uses up the other links of the same user', async () => {
  const [first, second] = [await link(), await link()];
  expect((await set(second)).status).toBe(204);
  expect((await set(first)).status).toBe(410);
});

it.each([
  ['the first password', 'welcome', 72],
  ['a new password', 'password_reset', 1],
] as const)('S3: a link for %s expires', async (_what, purpose, hours) => {
  const [inTime, late] = [await link(purpose), await link(purpose)];
  clock.advance(hours * 3_600_000);
  expect((await set(late)).status).toBe(410);
  clock.advance(-1);
  expect((await set(inTime)).status).toBe(204);
});

it('cannot be forged', async () => {
  const token = await link();
  const [tenant, id] = token.split('.');
  const other = (await link()).split('.')[2];
  for (const forged of ['', 'x', `${tenant}.${id}`, `${tenant}.${id}.`, `${tenant}.${id}.${other}`]) {
    const answer = await set(forged);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([expect.objectContaining({ pointer: '/token' })]);
  }
  // A signature for another purpose is invalid.
  expect((await set(person.refresh_token)).status).toBe(400);
  expect((await set(token)).status).toBe(204);
});

it('refuses a short and an endless password, and stays valid', async () => {
  const token = await link();
  for (const password of ['eleven char', 'x'.repeat(201)]) {
    const answer = await set(token, password);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/password');
  }
  expect((await set(token, 'twelve chars')).status).toBe(204);
});

it('accepts a password however the keyboard composes its letters', async () => {
  expect((await set(await link(), 'm\u00e9tropolitaine')).status).toBe(204);
  expect((await login('me\u0301tropolitaine')).status).toBe(200);
});

it('fails for a suspended tenant, an erased user, or a deleted tenant', async () => {
  const token = await link();
  await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [cast.tenant.id]);
  expect((await set(token)).body.code).toBe('tenant_suspended');
  await world.sql(`UPDATE tenants SET suspended_at = NULL WHERE id = $1`, [cast.tenant.id]);
  await world.sql(`DELETE FROM users WHERE id = $1`, [person.id]);
  expect((await set(token)).body.code).toBe('link_used');
});

it('unlocks a login that failures had locked', async () => {
  for (let failure = 0; failure < 5; failure++) expect((await login('wrong')).status).toBe(401);
  expect((await login(person.password)).status).toBe(429);
  expect((await set(await link())).status).toBe(204);
  expect((await login(NEW)).status).toBe(200);
});

describe('a request for a new link', () => {
  const asked: string[] = [];
  const ask = (email: string, tenant = cast.tenant.slug) =>
    world.http('POST', '/api/v1/auth/password-reset', { body: { email, tenant } });

  beforeAll(() => {
    world.app.get(UserEvents, { strict: false }).onPasswordResetRequested((_tx, user) => {
      asked.push(user.id);
      return Promise.resolve();
    });
  });

  it('sends a user a mail, and gets the same answer for an unknown address', async () => {
    const answers = [await ask(person.email.toUpperCase())];
    expect(asked).toEqual([person.id]);
    answers.push(await ask('nobody@example.com'), await ask(person.email, 'no-such-tenant'));
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([202, '']);
    expect(asked).toEqual([person.id]);
  });

  it('is accepted three times an hour', async () => {
    asked.length = 0;
    for (let round = 0; round < 5; round++) expect((await ask(person.email)).status).toBe(202);
    expect(asked).toHaveLength(3);
  });
});

it('opens a page that loads nothing from other origins and sends no referrer', async () => {
  const french = await world.http('GET', '/password?token=%3Cscript%3E#token=x', {
    headers: { 'accept-language': 'de, fr;q=0.9, en;q=0.8' },
  });
  expect(french.status).toBe(200);
  expect(french.text).toContain('<html lang="fr">');
  expect(french.text).not.toContain('%3Cscript%3E');
  expect(french.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  const policy = String(french.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
  expect(french.text.match(/<script[^>]*>/g)?.every((tag) => tag.includes(`nonce="${nonce}"`))).toBe(true);
  expect(french.text).not.toMatch(/(?:src|href)=(?!"\/sign-in")/);
  const english = await world.http('GET', '/password', { headers: { 'accept-language': 'en-GB,en' } });
  expect(english.text).toContain('<html lang="en">');
  expect(english.headers['content-security-policy']).not.toContain(nonce);
});
