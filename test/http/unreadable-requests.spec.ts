import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { JsonLogger } from '../../src/platform/logging/logger.js';
import { createCast, type Cast } from '../support/cast.js';
import { until } from '../support/until.js';
import { createWorld, type World } from '../support/world.js';

/** Input that is not a request for one of the routes, byte by byte over a socket. */
let world: World;
let cast: Cast;
let port: number;

beforeAll(async () => {
  world = await createWorld({ env: { VIGIE_PUBLIC_URL: 'https://vigie.example.fr' } });
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  port = Number(new URL(await world.app.getUrl()).port);
});
afterAll(() => world.close());

interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Sends bytes and reads until the server closes, or `enough` has arrived. */
async function raw(bytes: string, enough = (text: string) => text.includes('}')): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  await new Promise<void>((resolve, reject) => {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (enough(text)) resolve();
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
    socket.write(bytes, 'latin1');
  });
  socket.destroy();
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: rest.join('\r\n\r\n'),
  };
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: vigie\r\n${more}\r\n`;

test.each([
  ['a path that is not UTF-8', get('/api/v1/%zz'), 400, 'malformed_request'],
  ['a part of a path that is too long', get(`/api/v1/deadlines/${'x'.repeat(300)}`), 414, 'uri_too_long'],
  ['headers that are too large', get('/livez', `X: ${'x'.repeat(20_000)}\r\n`), 431, 'headers_too_large'],
  ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400, 'malformed_request'],
  ['no HTTP', 'HELLO\r\n\r\n', 400, 'malformed_request'],
  ['polling of Socket.IO', get('/socket.io/?EIO=4&transport=polling'), 404, 'not_found'],
  [
    'a method that a path does not have',
    'PATCH /livez HTTP/1.1\r\nHost: x\r\n\r\n',
    405,
    'method_not_allowed',
  ],
])('S8: %s is answered as problem+json', async (_what, bytes, status, code) => {
  const answer = await raw(bytes);
  expect([answer.status, answer.headers['content-type']?.split(';')[0]]).toEqual([
    status,
    'application/problem+json',
  ]);
  expect(JSON.parse(answer.body)).toMatchObject({ status, code });
  expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
});

test('S8: 405 names the methods of a path', async () => {
  const { status, headers } = await world.http('DELETE', '/api/v1/auth/login');
  expect([status, headers.allow]).toEqual([405, 'POST']);
  const other = await world.http('PATCH', '/api/v1/notifications/unread-count', { token: cast.admin.token });
  expect([other.status, other.headers.allow]).toEqual([405, 'GET, HEAD']);
});

test.each(['/livez', '/openapi.json', '/nowhere', '/socket.io/?EIO=4&transport=websocket'])(
  'S4: an upgrade to another protocol is ignored, and %s is answered',
  async (path) => {
    const plain = await raw(get(path));
    for (const protocol of ['h2c', 'TLS/1.0', 'something-else']) {
      const more = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n`;
      const answer = await raw(get(path, more));
      // On its own path Socket.IO refuses an upgrade that is not a WebSocket.
      if (!path.startsWith('/socket.io')) expect(answer.status).toBe(plain.status);
      expect(answer.status).toBeGreaterThanOrEqual(200);
      expect(answer.status).toBeLessThan(500);
    }
  },
);

test('S4: a body with an upgrade request is read, and the connection kept', async () => {
  const body = JSON.stringify({ email: 'a@b.example', password: 'x', tenant: 'nobody' });
  const head = `POST /api/v1/auth/login HTTP/1.1\r\nHost: vigie\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const upgrade = 'Connection: Upgrade\r\nUpgrade: h2c\r\n';
  const both = await raw(
    `${head}${upgrade}\r\n${body}${get('/livez')}`,
    (text) => text.split('HTTP/1.1').length === 3 && text.endsWith('}'),
  );
  expect(both.status).toBe(401);
  expect(both.body).toContain('HTTP/1.1 200');
});

test('S4: ignored upgrades leave nothing behind on their connection', async () => {
  const request = get('/livez', 'Connection: Upgrade\r\nUpgrade: h2c\r\n');
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  for (let sent = 1; sent <= 20; sent += 1) {
    socket.write(request);
    await until('the answer', () => text.split('HTTP/1.1 200').length === sent + 1 && text.endsWith('}'));
  }
  socket.destroy();
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

test('S8: a client that stays after its answer is cut off', async () => {
  const server = world.app.getHttpServer();
  const connections = async () =>
    new Promise<number>((done) => server.getConnections((_error, count) => done(count)));
  await until('no connection', async () => (await connections()) === 0);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const answered = new Promise((done) => socket.once('data', done));
  socket.write('HELLO\r\n\r\n');
  await answered;
  await until('the end of the connection', async () => (await connections()) === 0);
  socket.destroy();
});

test('S8: every answer forbids sniffing, framing and caching, and requires https of browsers', async () => {
  for (const path of ['/api/v1/me', '/nowhere', '/livez', '/ops/login', '/docs', '/password']) {
    const { headers } = await world.http('GET', path);
    expect([path, headers['x-content-type-options'], headers['strict-transport-security']]).toEqual([
      path,
      'nosniff',
      'max-age=31536000',
    ]);
    expect([path, headers['content-security-policy']]).toEqual([
      path,
      expect.stringContaining("frame-ancestors 'none'"),
    ]);
    expect([path, headers['content-security-policy']]).toEqual([
      path,
      expect.stringContaining("default-src 'none'"),
    ]);
    if (path !== '/docs') expect([path, headers['cache-control']]).toEqual([path, 'no-store']);
  }
});

test('S8: an answer before the whole body arrived closes the connection soon', async () => {
  const began = Date.now();
  const endless =
    'POST /api/v1/deadlines/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 90000000\r\n\r\na';
  const answer = await raw(endless, () => false);
  expect([answer.status, answer.headers.connection]).toEqual([401, 'close']);
  expect(Date.now() - began).toBeLessThan(10_000);
});

test('S8: a body that the client aborts is not a server error', async () => {
  const socket = connect(port, '127.0.0.1');
  const lines: string[] = [];
  world.app.useLogger(new JsonLogger('info', { write: (line: string) => void lines.push(line) }));
  const ended = new Promise<void>((resolve) => {
    world.app.getHttpServer().once('request', (request: IncomingMessage) => {
      request.once('close', resolve);
      socket.destroy();
    });
  });
  socket.write(
    `POST /api/v1/deadlines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${cast.admin.token}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{`,
  );
  await ended;
  // The next answer is logged after this one.
  await until('the request is logged', () => lines.some((line) => line.includes('request_aborted')));
  expect(lines.filter((line) => line.includes('request_failed'))).toEqual([]);
});

test('S8: unknown routes and malformed JSON count against the limit of an address', async () => {
  const remaining = async (path: string, bytes?: string) => {
    const { headers } = await world.http(bytes === undefined ? 'GET' : 'POST', path, {
      ...(bytes === undefined ? {} : { body: bytes, headers: { 'content-type': 'application/json' } }),
    });
    return Number(headers['ratelimit-remaining']);
  };
  const first = await remaining('/nowhere');
  expect(await remaining('/nowhere')).toBe(first - 1);
  expect(await remaining('/api/v1/auth/login', '{"broken')).toBe(first - 2);
});
