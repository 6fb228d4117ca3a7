import { createCast, type Cast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { readConfig } from '../config/config.js';

const INTRANET = 'https://intranet.example.com';
const COUNT = '/api/v1/notifications/unread-count';

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ env: { WEB_ORIGINS: `${INTRANET}, http://localhost:5173` } });
  cast = await createCast(world);
});
afterAll(() => world.close());

/** The headers of this answer that a browser reads before it shows the answer to a page. */
async function crossing(
  method: string,
  path: string,
  origin: string | undefined,
  rest: { token?: string; headers?: Record<string, string>; body?: unknown } = {},
) {
  const { headers, ...options } = rest;
  const answer = await world.http(method, path, {
    ...options,
    headers: { ...(origin === undefined ? {} : { origin }), ...headers },
  });
  return { ...answer, allowed: answer.headers['access-control-allow-origin'] };
}

const preflight = (origin: string, path = COUNT) =>
  crossing('OPTIONS', path, origin, {
    headers: { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' },
  });

describe('C6: a page of a configured origin', () => {
  it('C6: reads answers with a token, and never with credentials of the browser', async () => {
    for (const origin of [INTRANET, 'http://localhost:5173']) {
      const answer = await crossing('GET', COUNT, origin, { token: cast.admin.token });
      expect([answer.status, answer.allowed]).toEqual([200, origin]);
      expect(answer.headers.vary).toBe('Origin');
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      expect(answer.headers['access-control-expose-headers']).toContain('retry-after');
    }
  });

  it('C6: reads errors: without a token, unknown paths and methods, faulty bodies and paths', async () => {
    const { token } = cast.admin;
    const calls: [string, string, number, object][] = [
      ['GET', COUNT, 401, {}],
      ['GET', '/api/v1/nothing', 404, {}],
      ['POST', COUNT, 405, {}],
      ['PUT', '/api/v1/notifications/seen', 400, { token, body: {} }],
      ['POST', '/api/v1/auth/login', 400, { body: '{', headers: { 'content-type': 'application/json' } }],
      ['GET', '/api/v1/notifications/%', 400, {}],
    ];
    for (const [method, path, status, options] of calls) {
      const answer = await crossing(method, path, INTRANET, options);
      expect([path, answer.status, answer.allowed]).toEqual([path, status, INTRANET]);
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
  });

  it('C6: gets one answer to its preflight for two hours, on any path', async () => {
    for (const path of [COUNT, '/api/v1/notifications/seen', '/api/v1/nothing']) {
      const answer = await preflight(INTRANET, path);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': INTRANET,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-max-age': '7200',
        vary: 'Origin',
      });
      const names = String(answer.headers['access-control-allow-headers']).split(', ');
      expect(names).toContain('authorization');
      expect(names).not.toContain('x-api-key');
    }
  });
});

describe('C6: any other page', () => {
  it.each([
    'https://evil.example.com',
    'https://intranet.example.com.evil.example',
    'http://intranet.example.com',
    'https://intranet.example.com:8443',
    'https://INTRANET.example.com',
    'null',
    '*',
    '',
  ])('C6: %j reads nothing', async (origin) => {
    const answer = await crossing('GET', COUNT, origin, { token: cast.admin.token });
    expect([answer.status, answer.allowed]).toEqual([200, undefined]);
    expect(answer.headers.vary).toBe('Origin');
    const refused = await preflight(origin);
    expect([refused.status, refused.allowed]).toEqual([405, undefined]);
    expect(refused.headers['access-control-allow-methods']).toBeUndefined();
  });

  it('C6: a configured origin reads the API only', async () => {
    for (const path of ['/livez', '/ops/login', '/openapi.json', '/apis', '/password']) {
      expect([path, (await crossing('GET', path, INTRANET)).allowed]).toEqual([path, undefined]);
    }
  });
});

describe('C6: WEB_ORIGINS', () => {
  it('C6: is unset by default: pages of this server only', () => {
    expect(readConfig({}).webOrigins).toBeNull();
  });

  it('C6: takes exact origins, as browsers write them', () => {
    const { webOrigins } = readConfig({
      WEB_ORIGINS:
        'https://A.example.com, https://a.example.com:443,http://[::1]:5173,https://b\u00fcro.example',
    });
    expect(webOrigins).toEqual(['https://a.example.com', 'http://[::1]:5173', 'https://xn--bro-hoa.example']);
  });

  it.each([
    ['*', 'number 1 has a wildcard'],
    ['https://*.example.com', 'number 1 has a wildcard'],
    ['https://a.example.com/', 'number 1 has a path'],
    ['https://a.example.com,https://b.example.com/app', 'number 2 has a path'],
    ['https://a.example.com?x', 'number 1 has a path'],
    ['a.example.com', 'number 1 does not begin with http:// or https://'],
    ['null', 'number 1 does not begin with http:// or https://'],
    ['https://', 'number 1 does not begin with http:// or https://'],
    ['https://me:secret@a.example.com', 'number 1 has a user name or password'],
    ['https://a.example.com,,ftp://b', 'number 2 is empty, number 3 does not begin with http:// or https://'],
  ])('C6: refuses %j at the start, with what and where', (text, fault) => {
    const sentence = 'WEB_ORIGINS must be a list of exact origins such as https://intranet.example.com';
    expect(() => readConfig({ WEB_ORIGINS: text })).toThrow(`${sentence}: ${fault}`);
  });
});
