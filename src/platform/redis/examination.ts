import type { Redis } from 'ioredis';
import { type OneServer, placeOfRedis, type RedisTarget } from '../config/redis-url.js';
import { type Layout, silenceOf } from './asking.js';
import { layoutOf } from './layout.js';
import { withServer } from './once.js';
import { isRefusedLogin, RedisFault, refusedLogin } from './refusals.js';
import { primaryNames } from './sentinels.js';

/** Redis may delete queued jobs. */
export class EvictingRedis extends RedisFault {
  constructor(
    /** `Redis`, or which one of several. */
    readonly server: string,
    readonly policy: string,
  ) {
    super(`${server} has maxmemory-policy ${policy}; set it to noeviction, or Redis may delete queued jobs`);
  }
}

/** The servers behind REDIS_URL, and what was found on them. */
export interface RedisExamination extends Layout {
  evicting: readonly EvictingRedis[];
  /** A managed Redis hides its maxmemory-policy. */
  hidesPolicy: boolean;
}

/**
 * Connects to every server behind REDIS_URL, and writes nothing.
 * @param timeoutMs of each connection and each command.
 * @throws RedisFault if it must be configured differently; Error if Redis does not answer. A replica that does not
 *   answer is a warning.
 */
export async function examineRedis(target: RedisTarget, timeoutMs: number): Promise<RedisExamination> {
  const layout = await layoutOf(target, timeoutMs);
  const several = target.kind !== 'server';
  const evicting: EvictingRedis[] = [];
  const warnings = [...layout.warnings];
  let hidesPolicy = false;
  const examine = async (server: OneServer) => {
    const name = several ? `Redis at ${placeOfRedis(server)}` : 'Redis';
    try {
      const shows = await withServer(server, timeoutMs, async (redis) => {
        if (!several) await assertHoldsData(redis, target);
        return assertNoEviction(redis, name);
      });
      hidesPolicy ||= !shows;
    } catch (error) {
      if (!(error instanceof EvictingRedis)) throw isRefusedLogin(error) ? refusedLogin(error) : error;
      evicting.push(error);
    }
  };
  await Promise.all([
    ...layout.primaries.map(examine),
    ...layout.replicas.map((server) =>
      examine(server).catch((error: unknown) => {
        if (error instanceof RedisFault) throw error;
        warnings.push(silenceOf('the replica', { host: server.hosts[0], error }));
      }),
    ),
  ]);
  return { ...layout, warnings: [...new Set(warnings)], evicting, hidesPolicy };
}

/**
 * @throws RedisFault when the server is a Sentinel, which answers but holds no data, or a node of a cluster that does
 *   not hold all keys.
 */
export async function assertHoldsData(redis: Redis, target: RedisTarget): Promise<void> {
  // Some managed Redis hide it; the next command reports a refused login.
  const info = await redis.info('server').catch(() => '');
  const mode = /^redis_mode:(\w+)/m.exec(info)?.[1];
  const scheme = target.encrypted ? 'rediss' : 'redis';
  const place = placeOfRedis(target);
  if (mode === 'sentinel') {
    const [name = 'mymaster'] = await primaryNames(redis);
    throw new RedisFault(
      'REDIS_URL names a Sentinel, which holds no data',
      `write ${scheme}+sentinel://${place}/${name}, with the address of each Sentinel and the login of Redis`,
    );
  }
  if (mode === 'cluster' && (await primariesOfCluster(redis)) > 1)
    throw new RedisFault(
      'REDIS_URL names one node of a Redis Cluster',
      `write ${scheme}+cluster://${place}, with the addresses of several nodes`,
    );
}

/** A cluster of one node holds all keys, like any other Redis. */
async function primariesOfCluster(redis: Redis): Promise<number> {
  const info = String(await redis.call('CLUSTER', 'INFO').catch(() => ''));
  return Number(/^cluster_size:(\d+)/m.exec(info)?.[1] ?? 1);
}

/**
 * Refuses a Redis that evicts keys when it is full: queued work could vanish at any moment.
 * @returns false when a managed Redis hides its configuration.
 * @throws EvictingRedis naming the policy, RedisFault that the login is refused.
 */
export async function assertNoEviction(redis: Redis, server = 'Redis'): Promise<boolean> {
  let policy: string | undefined;
  try {
    [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
  } catch (error) {
    if (isRefusedLogin(error)) throw refusedLogin(error);
    if (error instanceof Error && /unknown command|NOPERM|not allowed/i.test(error.message)) return false;
    throw error;
  }
  if (policy !== undefined && policy !== 'noeviction') throw new EvictingRedis(server, policy);
  return policy !== undefined;
}
