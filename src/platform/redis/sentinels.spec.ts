import { Redis } from 'ioredis';
import { proxyTo } from '../../../test/support/proxy.js';
import { RedisSentinels } from '../../../test/support/redis-sentinels.js';
import { type RedisServer, startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { check, finding, NOWHERE } from '../../cli/doctor/doctor.fixture.js';
import { readConfig } from '../config/config.js';
import { EveryJob, newRun, startQueues } from '../queues/every-job.fixture.js';
import { Queues } from '../queues/queues.js';
import { WakeUps } from '../queues/wake-ups.js';
import { checkRedis } from './check.js';
import { producerConnection } from './connections.js';

/** Redis behind Sentinels: its configuration, its checks, and what happens after a failover. */

let redis: RedisSentinels;
beforeAll(async () => {
  redis = await RedisSentinels.start();
});
afterAll(() => redis.stop());

const doctor = (url: string) => check('redis', { ...NOWHERE, REDIS_URL: url });
const startCheck = (url: string) => checkRedis(readConfig({ ...NOWHERE, REDIS_URL: url }));

it('finds the primary and its replica, and takes writes', async () => {
  await startCheck(redis.url);
  expect(await doctor(redis.url)).toEqual([
    finding('ok', /\(Sentinel, mymaster\): .*takes writes: the primary 127\.0\.0\.1:\d+ and 1 replica$/),
  ]);
});

it('names a Sentinel that does not answer, and continues with the others', async () => {
  const url = redis.url.replace('@', '@127.0.0.1:1,');
  await startCheck(url);
  expect(await doctor(url)).toEqual([
    finding('ok', /takes writes/),
    finding('warning', /^the Sentinel 127\.0\.0\.1:1 does not answer: .*connection refused/, /remove it/),
  ]);
});

describe('a configuration that does not fit is refused at once, with words', () => {
  it.each([
    [
      'a master that nobody watches',
      () => redis.url.replace('mymaster', 'orders'),
      /knows no master named orders; it knows: mymaster$/,
    ],
    ['a password that is wrong', () => redis.url.replace(':right@', ':canary@'), /rejects the login/],
    [
      'a Redis instead of a Sentinel',
      async () => `redis+sentinel://127.0.0.1:${(await other()).port}/mymaster`,
      /is not a Sentinel/,
    ],
    ['one Sentinel as a Redis', () => redis.sentinelUrl, /names a Sentinel/],
  ])('%s', async (_what, urlOf, words) => {
    const url = await urlOf();
    await expect(startCheck(url)).rejects.toThrow(words);
    const found = await doctor(url);
    expect(found).toEqual([finding('fault', words)]);
    expect(JSON.stringify(found)).not.toContain('canary');
  });

  it('Sentinels of which none answers', async () => {
    expect(await doctor('redis+sentinel://127.0.0.1:1,localhost:1/mymaster')).toEqual([
      finding('fault', /no Sentinel answers \(.*127\.0\.0\.1:1: no program listens there/),
    ]);
  });

  it('a replica that may evict keys', async () => {
    const primary = new Redis(redis.urlOf(await redis.primary()));
    const port = /^slave0:.*port=(\d+)/m.exec(await primary.info('replication'))?.[1] ?? '';
    primary.disconnect();
    const replica = new Redis(`redis://:right@127.0.0.1:${port}`);
    await replica.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const words = new RegExp(`^Redis at 127\\.0\\.0\\.1:${port} .* allkeys-lru`);
    await expect(startCheck(redis.url)).rejects.toThrow(words);
    expect(await doctor(redis.url)).toEqual([finding('fault', words, /noeviction/)]);
    await replica.config('SET', 'maxmemory-policy', 'noeviction');
    replica.disconnect();
  });
});

it.each(['replaced', 'killed'] as const)(
  'when the primary is %s, jobs and wake-ups continue with the next one',
  async (how) => {
    const platform = await startQueues({ REDIS_URL: redis.url, VIGIE_ROLES: 'worker' });
    const [queues, wakeUps] = [platform.module.get(Queues), platform.module.get(WakeUps)];
    const { done } = platform.module.get(EveryJob);
    let heard = 0;
    wakeUps.on('dispatch.kick', () => (heard += 1));
    const works = async () => {
      const [jobs, messages] = [done.length, heard];
      await until(
        'a job and a wake-up',
        async () => {
          const payload = newRun();
          wakeUps.send('dispatch.kick', { channel: 'email' });
          await queues.enqueue('cleanup', [{ id: payload.lease_token, payload }]).catch(() => undefined);
          return done.length > jobs && heard > messages;
        },
        20_000,
      );
    };
    await works();
    const before = await redis.primary();
    await redis.hasReplica();
    if (how === 'killed') await redis.killPrimary();
    else await redis.failOver();
    await redis.failedOver(before);
    await works();
    await queues.probe();
    await platform.close();
  },
  60_000,
);

it('drops a connection to a host that has vanished', async () => {
  const server: RedisServer = await other();
  const proxy = await proxyTo(server.url);
  const producer = producerConnection(proxy.url);
  await until('a connection', () => producer.status === 'ready');
  proxy.silence();
  await expect(producer.ping()).rejects.toThrow('timed out');
  proxy.restore();
  await until('a new connection', () => producer.ping().catch(() => null));
  producer.disconnect();
  await proxy.close();
});

let server: RedisServer | undefined;
/** A Redis that no Sentinel watches. */
async function other(): Promise<RedisServer> {
  return (server ??= await startRedis());
}
afterAll(() => server?.stop());
