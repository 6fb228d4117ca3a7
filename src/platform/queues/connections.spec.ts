import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { assertNoEviction, consumerConnection, producerConnection } from './connections.js';

const open: { disconnect(): void }[] = [];
const servers: RedisServer[] = [];

afterEach(async () => {
  for (const connection of open.splice(0)) connection.disconnect();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(...settings: string[]): Promise<RedisServer> {
  const server = await startRedis(settings);
  servers.push(server);
  return server;
}

function keep<Connection extends { disconnect(): void }>(connection: Connection): Connection {
  open.push(connection);
  return connection;
}

describe('assertNoEviction', () => {
  it.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])(
    'F6: refuses a Redis with %s',
    async (policy) => {
      const { url } = await serve('--maxmemory', '50mb', '--maxmemory-policy', policy);
      await expect(assertNoEviction(keep(consumerConnection(url)))).rejects.toThrow(
        `Redis has maxmemory-policy ${policy}`,
      );
    },
  );

  it('accepts noeviction', async () => {
    const { url } = await serve('--maxmemory-policy', 'noeviction');
    expect(await assertNoEviction(keep(consumerConnection(url)))).toBe(true);
  });

  it('warns when a managed Redis hides its configuration', async () => {
    const { url } = await serve('--rename-command', 'CONFIG', '');
    expect(await assertNoEviction(keep(consumerConnection(url)))).toBe(false);
  });

  it('does not take a missing answer for noeviction', async () => {
    const redis = keep(
      new Redis('redis://127.0.0.1:1', { maxRetriesPerRequest: 0, retryStrategy: () => null }),
    );
    redis.on('error', () => undefined);
    await expect(assertNoEviction(redis)).rejects.toThrow();
  });
});

describe('a producer', () => {
  it('fails at once while Redis is unreachable, and goes on when it is back', async () => {
    const producer = keep(producerConnection('redis://127.0.0.1:1'));
    const started = performance.now();
    await expect(producer.publish('x', 'y')).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2_500);
  });
});

async function serveWithPassword(): Promise<RedisServer> {
  const server = await serve();
  await keep(consumerConnection(server.url)).config('SET', 'requirepass', 'right');
  return server;
}

describe('H26: a Redis that refuses the login', () => {
  let error: jest.SpyInstance;
  beforeEach(() => (error = jest.spyOn(Logger.prototype, 'error').mockImplementation()));
  afterEach(() => error.mockRestore());

  it('is named as the reason at the start', async () => {
    const { url } = await serveWithPassword();
    for (const wrong of [url, url.replace('redis://', 'redis://:wrong@')]) {
      await expect(assertNoEviction(keep(consumerConnection(wrong)))).rejects.toThrow(
        /^Redis refuses the login \((NOAUTH|WRONGPASS) .*\): check the user and password in REDIS_URL$/,
      );
    }
  });

  it('is logged while the process runs', async () => {
    const { url } = await serveWithPassword();
    keep(producerConnection(url.replace('redis://', 'redis://:wrong@')));
    keep(consumerConnection(url));
    await until('a line', () => error.mock.calls.length > 0);
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ event: 'redis_login_refused' }));
    expect(error).toHaveBeenCalledTimes(1);
  });
});
