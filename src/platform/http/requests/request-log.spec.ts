import { type Cast, createCast } from '../../../../test/support/cast.js';
import { environmentFor } from '../../../../test/support/database.js';
import { type ServerProcess, startProcess, stopProcesses } from '../../../../test/support/processes.js';
import { until } from '../../../../test/support/until.js';
import {
  createDatabase,
  createWorld,
  type TestDatabase,
  type World,
} from '../../../../test/support/world.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('a request id', () => {
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld();
    cast = await createCast(world);
  });
  afterAll(() => world.close());

  const ask = (id: string | undefined, path = '/api/v1/me', token?: string) =>
    world.http('GET', path, { token, headers: { 'x-request-id': id ?? '' } });

  it.each(['a', 'A-1.b_2', 'x'.repeat(64)])('is the caller’s: %p', async (id) => {
    const refused = await ask(id);
    expect(refused.headers['x-request-id']).toBe(id);
    expect(refused.body.request_id).toBe(id);
    expect((await ask(id, '/api/v1/me', cast.admin.token)).headers['x-request-id']).toBe(id);
  });

  it.each(['', 'x'.repeat(65), 'a b', 'a\u00e9', '"quoted"', '<script>', 'a/b', 'a,b'])(
    'is a new one instead of %p',
    async (id) => {
      const answer = await ask(id);
      expect(answer.headers['x-request-id']).toMatch(UUID);
      expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
    },
  );

  it('is in every problem except the one whose bytes must not differ', async () => {
    const problems = await Promise.all([
      world.http('POST', '/api/v1/auth/login', {
        body: '{',
        headers: { 'content-type': 'application/json' },
      }),
      world.http('POST', '/api/v1/auth/login', { body: {} }),
      world.http('GET', '/api/v1/users', { token: cast.teammate.token }),
    ]);
    for (const { body } of problems) expect(body.request_id).toBe('test');
    const [one, other] = [await ask('one', '/api/v1/nowhere'), await ask('other', '/api/v1/nowhere')];
    expect([one.status, one.text]).toEqual([404, other.text]);
    expect(one.headers['x-request-id']).toBe('one');
  });
});

describe('the log', () => {
  let database: TestDatabase;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createDatabase();
    server = await startProcess({
      ...environmentFor(database),
      VIGIE_ROLES: 'web',
      SCHEDULER_ENABLED: 'false',
    });
  });
  afterAll(async () => {
    await server.stop();
    await stopProcesses();
    await database.drop();
  });

  const lines = (id: string) =>
    server.lines.filter((line) => line.includes(`"${id}"`)).map((line) => JSON.parse(line) as object);

  it('has one line for each change or refusal, without data of the request', async () => {
    const canary = 'canary@example.com';
    await fetch(`${server.url}/api/v1/auth/login?who=${canary}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'login-1' },
      body: JSON.stringify({ email: canary, password: canary }),
    });
    await fetch(`${server.url}/api/v1/users/${canary}`, { headers: { 'x-request-id': 'look-1' } });
    await fetch(`${server.url}/nowhere/${canary}`, { headers: { 'x-request-id': 'lost-1' } });
    await until('the last line', () => lines('lost-1').length > 0);
    expect(lines('login-1')).toContainEqual({
      level: 'info',
      time: expect.any(String),
      room: 'Http',
      event: 'request',
      request_id: 'login-1',
      method: 'POST',
      route: '/api/v1/auth/login',
      status: 401,
      duration_ms: expect.any(Number),
    });
    expect(lines('look-1')).toEqual([
      expect.objectContaining({ route: '/api/v1/users/:id', status: 401, method: 'GET' }),
    ]);
    expect(lines('lost-1')).toEqual([expect.objectContaining({ route: null, status: 404 })]);
    expect(server.lines.join('\n')).not.toContain('canary');
  });

  it('has none for a successful read', async () => {
    await fetch(`${server.url}/livez`, { headers: { 'x-request-id': 'live-1' } });
    await fetch(`${server.url}/nowhere`, { headers: { 'x-request-id': 'after-1' } });
    await until('a later line', () => lines('after-1').length > 0);
    expect(lines('live-1')).toEqual([]);
  });
});
