import { Redis } from 'ioredis';
import { type RedisServer, startRedis, startSentinel } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { check, finding, NOWHERE, startPlainServer, startTlsServer } from './doctor.fixture.js';

/** E13: `vigie doctor` finds each fault of Redis, and names its remedy. */

let server: RedisServer;
let admin: Redis;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  await admin.config('SET', 'requirepass', 'right');
  server.url = server.url.replace('redis://', 'redis://:right@');
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await admin.config('SET', 'maxmemory', '0');
  await admin.config('SET', 'maxmemory-policy', 'noeviction');
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const redis = (url: string) => check('redis', { ...NOWHERE, REDIS_URL: url });

it('E13: finds nothing wrong with a Redis that keeps its keys', async () => {
  expect(await redis(server.url)).toEqual([finding('ok', /takes writes/)]);
  expect(await admin.ttl('vigie:doctor')).toBeGreaterThan(0);
});

it('E13: a closed port, a host without a name in DNS', async () => {
  expect(await redis('redis://127.0.0.1:1')).toEqual([
    finding('fault', /no program listens there/, /Start Redis/),
  ]);
  expect(await redis('redis://no-such-host.invalid')).toEqual([
    finding('fault', /host name/, /Correct the host name in REDIS_URL/),
  ]);
});

it('E13: a wrong password, and a missing one', async () => {
  for (const login of [':wrong@', '']) {
    const found = await redis(server.url.replace(':right@', login));
    expect(found).toEqual([finding('fault', /rejects the login/, /Correct user and password in REDIS_URL/)]);
    expect(JSON.stringify(found)).not.toContain('wrong');
  }
});

it('E13: a Redis that may evict keys', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await redis(server.url)).toEqual([
    finding('fault', /its maxmemory-policy is allkeys-lru/, /maxmemory-policy noeviction/),
  ]);
});

it('R4: a Redis that is out of memory', async () => {
  await admin.config('SET', 'maxmemory', '1mb');
  expect(await redis(server.url)).toEqual([
    finding('warning', /\d+ % of its maxmemory/),
    finding('fault', /^Redis is out of memory/, /Raise maxmemory/),
  ]);
});

it('R4: a read-only replica', async () => {
  await admin.call('REPLICAOF', '127.0.0.1', '1');
  await until('a replica', async () => (await admin.info('replication')).includes('role:slave'));
  expect(await redis(server.url)).toEqual([finding('fault', /^Redis is read only/, /to the primary/)]);
  await admin.call('REPLICAOF', 'NO', 'ONE');
});

it("R4: a Sentinel's address", async () => {
  const sentinel = await startSentinel();
  closing.push(() => sentinel.stop());
  expect(await redis(sentinel.url)).toEqual([
    finding('fault', /names a Sentinel/, /^Write redis\+sentinel:\/\/127\.0\.0\.1:\d+\/mymaster/),
  ]);
});

it('E13: TLS from an unknown authority, on one side only', async () => {
  const encrypted = await startTlsServer();
  const plain = await startPlainServer();
  closing.push(
    () => encrypted.close(),
    () => plain.close(),
  );
  expect(await redis(`rediss://127.0.0.1:${encrypted.port}`)).toEqual([
    finding('fault', /unknown authority/, /NODE_EXTRA_CA_CERTS/),
  ]);
  expect(await redis(`rediss://127.0.0.1:${plain.port}`)).toEqual([
    finding('fault', /does not answer in TLS/, /redis:\/\/ instead of rediss:\/\//),
  ]);
  expect(await redis(`redis://127.0.0.1:${encrypted.port}`)).toEqual([
    finding('fault', /closed the connection/, /begin REDIS_URL with rediss:\/\//),
  ]);
});
