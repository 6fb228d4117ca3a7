import { Redis, type RedisOptions } from 'ioredis';

/**
 * For who puts work in or sends a wake-up: when Redis is away they must hear so within 2 s, not wait in a
 * line; PostgreSQL keeps the work.
 */
const PRODUCER: RedisOptions = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 2_000,
  connectTimeout: 2_000,
};

/** For blocking reads and subscriptions: they wait for as long as Redis is away. Bull asks for these two. */
const CONSUMER: RedisOptions = { maxRetriesPerRequest: null, enableReadyCheck: false };

const ALWAYS: RedisOptions = {
  retryStrategy: (times) => Math.min(times * 100, 2_000),
  keepAlive: 10_000,
  // A process that stops does not wait for Redis to say goodbye.
  disconnectTimeout: 200,
};

/** A connection that fails fast. */
export function producerConnection(url: string): Redis {
  return quiet(new Redis(url, { ...PRODUCER, ...ALWAYS }));
}

/** A connection that waits. */
export function consumerConnection(url: string): Redis {
  return quiet(new Redis(url, { ...CONSUMER, ...ALWAYS }));
}

/** Without a listener a lost connection would end the process; readiness and each command tell of it. */
function quiet(redis: Redis): Redis {
  redis.on('error', () => undefined);
  return redis;
}

/**
 * Refuses a Redis that would drop keys when it is full: queued work would vanish at any moment.
 * @returns false where a managed Redis hides its configuration.
 * @throws Error naming the policy.
 */
export async function assertNoEviction(redis: Redis): Promise<boolean> {
  let policy: string | undefined;
  try {
    [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
  } catch (error) {
    if (error instanceof Error && /unknown command|NOPERM|not allowed/i.test(error.message)) return false;
    throw error;
  }
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(
      `Redis has maxmemory-policy ${policy}; set it to noeviction: queued work must not vanish`,
    );
  }
  return policy !== undefined;
}
