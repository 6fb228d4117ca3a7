import { randomUUID } from 'node:crypto';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { addPerson, addTenant, type Cast, createCast, type Person } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { UserEvents } from './user-events.js';

let world: World;
let cast: Cast;
let admin: Person;
const announced: string[] = [];

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  const events = world.app.get(UserEvents, { strict: false });
  const note = (what: string) => (_tx: unknown, user: string | { id: string }) => {
    announced.push(`${what} ${typeof user === 'string' ? user : user.id}`);
    return Promise.resolve();
  };
  events.onCreated(note('created'));
  events.onErased(note('erased'));
  events.onPreferencesChanged(note('preferences'));
});

beforeEach(async () => {
  announced.length = 0;
  const tenant = await addTenant(world);
  admin = await addPerson(world, tenant.id, { name: 'Jeanne', role: 'admin' });
});

afterAll(() => world.close());

const call = (method: string, path: string, body?: unknown, token = admin.token) =>
  world.http(method, `/api/v1/${path}`, { token, body });
const pointers = (body: { errors?: { pointer: string }[] }) => body.errors?.map(({ pointer }) => pointer);

describe('a member', () => {
  it('sees the names of all colleagues, in alphabetical order, and nothing else of them', async () => {
    for (const name of ['Zoé', 'Élise', 'Félix', 'Damien']) {
      await addPerson(world, admin.tenant_id, { name, role: 'member' });
    }
    const { token } = await addPerson(world, admin.tenant_id, { name: 'Omar', role: 'member' });
    const names = async (query = '') => {
      const { status, body } = await call('GET', `users/names${query}`, undefined, token);
      expect(status).toBe(200);
      return body as { data: { id: string; name: string }[]; next_cursor: string | null; count?: number };
    };
    const all = await names('?count=true');
    const shown = all.data.map(({ name }) => name.split(' ')[0]);
    expect(shown).toEqual(['Damien', 'Élise', 'Félix', 'Jeanne', 'Omar', 'Zoé']);
    expect(all.count).toBe(6);
    expect(Object.keys(all.data[0]!)).toEqual(['id', 'name']);
    const two = await names('?limit=2');
    expect([...two.data, ...(await names(`?cursor=${two.next_cursor!}`)).data]).toEqual(all.data);
    expect((await names('?q=elise')).data).toEqual([all.data[1]]);
  });
});

describe('an admin', () => {
  it('creates users, who have no password and are welcomed', async () => {
    const answer = await call('POST', 'users', {
      email: ' Marie.Curie@EXAMPLE.com ',
      name: ' Marie Curie ',
      phone: '+33 6 12 34 56 78',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      tenant_id: admin.tenant_id,
      id: expect.any(String),
      email: 'Marie.Curie@example.com',
      name: 'Marie Curie',
      role: 'member',
      phone: '+33612345678',
      locale: null,
      time_zone: null,
      active: false,
      paused_until: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(announced).toEqual([`created ${answer.body.id}`]);
    const [row] = await world.sql(`SELECT password_hash FROM users WHERE id = $1`, [answer.body.id]);
    expect(row!.password_hash).toBeNull();
    expect((await call('GET', `users/${answer.body.id}`)).body).toEqual(answer.body);
  });

  it('creates one once per idempotency key', async () => {
    const create = (email: string) =>
      world.http('POST', '/api/v1/users', {
        token: admin.token,
        body: { email, name: 'Karl' },
        headers: { 'idempotency-key': 'one' },
      });
    const answers = await Promise.all([1, 2, 3].map(() => create('karl@example.com')));
    for (const answer of answers) {
      expect([answer.status, answer.body]).toEqual([201, answers[0]!.body]);
    }
    expect(announced).toHaveLength(1);
    expect((await create('other@example.com')).body.code).toBe('idempotency_mismatch');
  });

  it('cannot use an address that another user of the tenant has, in any case', async () => {
    const taken = await call('POST', 'users', { email: admin.email.toUpperCase(), name: 'X' });
    expect([taken.status, taken.body.code, pointers(taken.body)]).toEqual([409, 'conflict', ['/email']]);
    const member = await addPerson(world, admin.tenant_id, { name: 'Leo' });
    const moved = await call('PATCH', `users/${member.id}`, { email: admin.email.toUpperCase() });
    expect(moved.status).toBe(409);
    // Another tenant's user may have it.
    const body = { email: cast.admin.email, name: 'Same' };
    expect((await call('POST', 'users', body)).status).toBe(201);
    const race = await Promise.all(
      ['race@example.com', 'RACE@example.com', 'Race@Example.com'].map((email) =>
        call('POST', 'users', { email, name: 'Racer' }),
      ),
    );
    expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  it('gets each fault with its place', async () => {
    const faults: [object, string][] = [
      ...[
        'nobody',
        'a@b',
        'a b@example.com',
        'a@example.com, b@example.com',
        'Marie <a@example.com>',
        '"a b"@example.com',
        'é@example.com',
        'a@[127.0.0.1]',
        'a@exa_mple.com',
        'a@example.com\r\nBcc: x@example.com',
        'a\u0000@example.com',
        `${'a'.repeat(65)}@example.com`,
        `a@${'b'.repeat(60)}.${'c'.repeat(250)}.com`,
        '',
        null,
        5,
      ].map((email): [object, string] => [{ email }, '/email']),
      [{ name: '' }, '/name'],
      [{ name: 'two\nlines' }, '/name'],
      [{ role: 'root' }, '/role'],
      [{ role: null }, '/role'],
      [{ phone: '0612345678' }, '/phone'],
      [{ phone: '+33 1' }, '/phone'],
      [{ phone: '+33612345678 ext. 5' }, '/phone'],
      [{ phone: 33612345678 }, '/phone'],
      [{ locale: 'de' }, '/locale'],
      [{ time_zone: 'Nowhere/Else' }, '/time_zone'],
      [{ password: 'a password of my own' }, '/password'],
      [{ tenant_id: cast.tenant.id }, '/tenant_id'],
    ];
    for (const [fault, pointer] of faults) {
      const answer = await call('POST', 'users', { email: 'fine@example.com', name: 'Fine', ...fault });
      expect([fault, answer.status, pointers(answer.body)?.[0]]).toEqual([fault, 400, pointer]);
    }
    expect((await call('GET', 'users')).body.data).toHaveLength(1);
    expect(announced).toEqual([]);
  });

  it('may write a domain in its own script', async () => {
    const answer = await call('POST', 'users', { email: 'info@Société.fr', name: 'X' });
    expect(answer.body.email).toBe('info@xn--socit-esab.fr');
  });

  it('lists the tenant’s own users in pages, by role', async () => {
    for (const name of ['A', 'B', 'C']) await addPerson(world, admin.tenant_id, { name });
    const first = (await call('GET', 'users?limit=3')).body;
    expect(first.data.map(({ name }: Person) => name)).toEqual(['C', 'B', 'A']);
    const second = (await call('GET', `users?limit=3&cursor=${first.next_cursor}`)).body;
    expect(second.data.map(({ name }: Person) => name)).toEqual(['Jeanne']);
    expect(second.next_cursor).toBeNull();
    const admins = (await call('GET', 'users?role=admin')).body;
    expect(admins.data.map(({ id }: Person) => id)).toEqual([admin.id]);
    expect(pointers((await call('GET', 'users?limit=0&role=x')).body)).toEqual(
      expect.arrayContaining(['/limit', '/role']),
    );
    expect(JSON.stringify(first)).not.toContain('password');
  });

  it('changes the given fields; null clears, an empty patch does nothing', async () => {
    const created = (await call('POST', 'users', { email: 'p@example.com', name: 'P', locale: 'en' })).body;
    announced.length = 0;
    expect((await call('PATCH', `users/${created.id}`, {})).body).toEqual(created);
    const patched = await call('PATCH', `users/${created.id}`, {
      locale: null,
      phone: '+442079460000',
      role: 'admin',
    });
    expect(patched.body).toMatchObject({ name: 'P', locale: null, phone: '+442079460000', role: 'admin' });
    expect(announced).toEqual([]);
    await call('PATCH', `users/${created.id}`, { time_zone: 'Asia/Tokyo' });
    expect(announced).toEqual([`preferences ${created.id}`]);
    expect(pointers((await call('PATCH', `users/${created.id}`, { name: null, id: 'x' })).body)).toEqual(
      expect.arrayContaining(['/name', '/id']),
    );
  });

  it('erases a user, whose tokens stop working', async () => {
    const member = await addPerson(world, admin.tenant_id, { name: 'Max' });
    const revoked: { user_ids?: string[] }[] = [];
    world.app.get(WakeUps).on('access.revoked', (message) => revoked.push(message));
    expect((await call('GET', 'me', undefined, member.token)).status).toBe(200);
    expect((await call('DELETE', `users/${member.id}`)).status).toBe(204);
    expect(announced).toEqual([`erased ${member.id}`]);
    expect((await call('GET', 'me', undefined, member.token)).status).toBe(401);
    const refresh = await world.http('POST', '/api/v1/auth/refresh', {
      body: { refresh_token: member.refresh_token },
    });
    expect(refresh.status).toBe(401);
    await until('the wake-up', () => revoked.some(({ user_ids }) => user_ids?.includes(member.id)));
    expect((await call('DELETE', `users/${member.id}`)).status).toBe(404);
  });

  it('cannot delete the last admin', async () => {
    const demoted = await call('PATCH', `users/${admin.id}`, { role: 'member' });
    expect([demoted.status, demoted.body.code]).toEqual([409, 'conflict']);
    const erased = await call('DELETE', `users/${admin.id}`);
    expect([erased.status, erased.body.code]).toEqual([409, 'conflict']);
    expect(announced).toEqual([]);
    const second = await addPerson(world, admin.tenant_id, { name: 'Nina', role: 'admin' });
    expect((await call('DELETE', `users/${admin.id}`, undefined, second.token)).status).toBe(204);
    expect((await call('PATCH', `users/${second.id}`, { role: 'member' }, second.token)).status).toBe(409);
  });

  it('remains even when all admins are removed at the same moment', async () => {
    const others = await Promise.all(
      ['Otto', 'Paul', 'Rosa'].map((name) => addPerson(world, admin.tenant_id, { name, role: 'admin' })),
    );
    const all = [admin, ...others];
    const answers = await Promise.all(
      all.map(({ id, token }, position) =>
        position % 2 === 0
          ? call('PATCH', `users/${id}`, { role: 'member' }, token)
          : call('DELETE', `users/${id}`, undefined, token),
      ),
    );
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
    const left = await world.sql(`SELECT 1 FROM users WHERE tenant_id = $1 AND role = 'admin'`, [
      admin.tenant_id,
    ]);
    expect(left).toHaveLength(1);
  });

  it('undoes a change when one of its listeners fails', async () => {
    const events = world.app.get(UserEvents, { strict: false });
    let fail = true;
    events.onErased(() => (fail ? Promise.reject(new Error('no')) : Promise.resolve()));
    const member = await addPerson(world, admin.tenant_id, { name: 'Sami' });
    expect((await call('DELETE', `users/${member.id}`)).status).toBe(500);
    expect((await call('GET', `users/${member.id}`)).status).toBe(200);
    fail = false;
  });
});

it('answers an outsider as for an unknown id', async () => {
  const member = await addPerson(world, admin.tenant_id, { name: 'Tom' });
  const before = await world.sql(`SELECT * FROM users WHERE id = $1`, [member.id]);
  for (const [method, body] of [['GET'], ['PATCH', { name: 'Mine' }], ['DELETE']] as const) {
    const ask = (id: string) => call(method, `users/${id}`, body, cast.outsider.token);
    const unknown = await ask(randomUUID());
    expect(unknown.status).toBe(404);
    expect((await ask(member.id)).text).toBe(unknown.text);
    expect((await ask('not-an-id')).text).toBe(unknown.text);
  }
  expect(await world.sql(`SELECT * FROM users WHERE id = $1`, [member.id])).toEqual(before);
});

describe('a member', () => {
  it('changes only their own fields', async () => {
    const member = await addPerson(world, admin.tenant_id, { name: 'Ute' });
    const patched = await call(
      'PATCH',
      'me',
      { name: 'Ute B.', locale: 'en', time_zone: 'Asia/Tokyo' },
      member.token,
    );
    expect(patched.status).toBe(200);
    expect(patched.body).toMatchObject({ id: member.id, name: 'Ute B.', locale: 'en', role: 'member' });
    expect(patched.body.tenant.id).toBe(admin.tenant_id);
    expect(announced).toEqual([`preferences ${member.id}`]);
    for (const [field, value] of [
      ['role', 'admin'],
      ['email', 'x@example.com'],
    ] as const) {
      const answer = await call('PATCH', 'me', { [field]: value }, member.token);
      expect([answer.status, pointers(answer.body)]).toEqual([400, [`/${field}`]]);
    }
    expect((await call('PATCH', `users/${member.id}`, { role: 'admin' }, member.token)).status).toBe(403);
    expect((await call('GET', 'users', undefined, member.token)).status).toBe(403);
  });
});
