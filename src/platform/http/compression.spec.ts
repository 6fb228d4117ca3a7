import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';

const ORIGIN = 'https://intranet.example';

let world: World;
let port: number;

beforeAll(async () => {
  world = await createWorld({ env: { WEB_ORIGINS: ORIGIN } });
  await world.app.listen(0, '127.0.0.1');
  ({ port } = world.app.getHttpServer().address() as AddressInfo);
});
afterAll(() => world.close());

interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

/** The bytes as they arrive: `fetch` would decompress them. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
        reject,
      );
    });
    sent.on('error', reject).end();
  });
}

it('V27: compresses JSON answers of 1 kB and more for clients that accept gzip, to the same text', async () => {
  const plain = await get('/openapi.json');
  expect(plain.headers['content-encoding']).toBeUndefined();
  const small = await get('/openapi.json', { 'accept-encoding': 'br, gzip;q=0.8' });
  expect(small.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
  expect(small.bytes.length).toBeLessThan(plain.bytes.length / 5);
  expect(gunzipSync(small.bytes).equals(plain.bytes)).toBe(true);
  const head = await get('/openapi.json', { 'accept-encoding': 'gzip' }, 'HEAD');
  expect([head.status, head.bytes.length]).toEqual([200, 0]);
});

it.each(['identity', 'gzip;q=0', 'br', '', '*;q=0'])(
  'V27: sends an answer uncompressed to a client that accepts “%s”',
  async (accepted) => {
    const { headers, bytes } = await get('/openapi.json', { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBeUndefined();
    expect(JSON.parse(bytes.toString())).toHaveProperty('openapi');
  },
);

it('V27: leaves small answers and compressed files as they are, and adds to `vary`', async () => {
  const gzip = { 'accept-encoding': 'gzip' };
  expect((await get('/livez', gzip)).headers['content-encoding']).toBeUndefined();
  const file = await get('/inbox.js', gzip);
  expect(file.headers['content-encoding']).toBe('gzip');
  // Compressed once.
  expect(gunzipSync(file.bytes).toString()).toMatch(/^if \(typeof document/);
  const { token } = (await createCast(world)).admin;
  const listed = await get('/api/v1/tenant/templates', {
    ...gzip,
    origin: ORIGIN,
    authorization: `Bearer ${token}`,
  });
  expect(listed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Origin, accept-encoding' });
});
