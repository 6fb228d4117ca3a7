import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis, startSentinel } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { parseRedisUrl } from '../config/redis-url.js';
import { consumerConnection, producerConnection, type RedisConnection } from './connections.js';
import { assertHoldsData, assertNoEviction } from './examination.js';
import { refusalOf } from './refusals.js';

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

/** A refused login is an error of the connection, too. */
function quietly(redis: Redis): Redis {
  return redis.on('error', () => undefined);
}

async function serving(): Promise<{ url: string; port: string }> {
  const { url } = await serve();
  return { url, port: new URL(url).port };
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
      await expect(assertNoEviction(keep(new Redis(url)))).rejects.toThrow(
        `Redis has maxmemory-policy ${policy}`,
      );
    },
  );

  it('accepts noeviction', async () => {
    const { url } = await serve('--maxmemory-policy', 'noeviction');
    expect(await assertNoEviction(keep(new Redis(url)))).toBe(true);
  });

  it('warns when a managed Redis hides its configuration', async () => {
    const { url } = await serve('--rename-command', 'CONFIG', '');
    expect(await assertNoEviction(keep(new Redis(url)))).toBe(false);
  });

  it('does not treat a missing answer as noeviction', async () => {
    const redis = keep(
      new Redis('redis://127.0.0.1:1', { maxRetriesPerRequest: 0, retryStrategy: () => null }),
    );
    redis.on('error', () => undefined);
    await expect(assertNoEviction(redis)).rejects.toThrow();
  });
});

describe('assertHoldsData', () => {
  it('R4: refuses a Sentinel, and says how to configure it', async () => {
    const sentinel = await startSentinel(['sentinel monitor orders 127.0.0.1 1 1']);
    servers.push(sentinel);
    const holdsData = (url: string) => assertHoldsData(keep(new Redis(url)), parseRedisUrl(url));
    await expect(holdsData(sentinel.url)).rejects.toThrow(
      'REDIS_URL names a Sentinel, which holds no data: ' +
        `write redis+sentinel://127.0.0.1:${sentinel.port}/orders, with the address of each Sentinel`,
    );
    const { url } = await serve();
    await holdsData(url);
  });
});

describe('R4: the explanation of a Redis that refuses a write', () => {
  const refusal = async (url: string) => refusalOf(await redisError(keep(producerConnection(url))));
  const redisError = async (redis: RedisConnection): Promise<unknown> => {
    await until('a connection', () => redis.status === 'ready');
    return redis.set('key', 'value').catch((error: unknown) => error);
  };

  it('covers a Sentinel', async () => {
    const sentinel = await startSentinel();
    servers.push(sentinel);
    expect(await refusal(sentinel.url)).toMatch(/^REDIS_URL names a server without SET, such as a Sentinel/);
  });

  it('covers a replica, out of memory, a failing snapshot, too few replicas, no right', async () => {
    const { url, port } = await serving();
    const admin = keep(new Redis(url));
    const replica = await serve('--replicaof', `127.0.0.1 ${port}`);
    expect(await refusal(replica.url)).toBe('Redis is read only: REDIS_URL names a replica');
    await admin.config('SET', 'maxmemory', '1mb');
    expect(await refusal(url)).toBe('Redis is out of memory: raise its maxmemory');
    await admin.config('SET', 'maxmemory', '0');
    await admin.config('SET', 'min-replicas-to-write', '3');
    expect(await refusal(url)).toMatch(/too few of its replicas answer/);
    await admin.config('SET', 'min-replicas-to-write', '0');
    await admin.call('ACL', 'SETUSER', 'reader', 'on', '>pass', '~*', '&*', '+@all', '-@write');
    expect(await refusal(url.replace('redis://', 'redis://reader:pass@'))).toMatch(
      /does not allow the user of REDIS_URL to write$/,
    );
    const diskless = await serve('--dir', '/proc');
    const owner = keep(new Redis(diskless.url));
    await owner.config('SET', 'save', '1 1');
    await owner.bgsave();
    await until('a snapshot that failed', async () => (await refusal(diskless.url)) !== null);
    expect(await refusal(diskless.url)).toMatch(/cannot save its snapshot/);
  });

  it('is missing when Redis does not answer, and for any other error', async () => {
    const error = await keep(producerConnection('redis://127.0.0.1:1'))
      .set('a', 'b')
      .catch((failure: unknown) => failure);
    expect(refusalOf(error)).toBeNull();
    expect(refusalOf(new Error('WRONGTYPE Operation against a key'))).toBeNull();
    expect(refusalOf('READONLY')).toBeNull();
  });
});

describe('a producer', () => {
  it('fails at once while Redis is unreachable, and works again when it is back', async () => {
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
      await expect(assertNoEviction(keep(quietly(new Redis(wrong))))).rejects.toThrow(
        /^Redis rejects the login \((NOAUTH|WRONGPASS) .*\): check the user and password in REDIS_URL$/,
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
