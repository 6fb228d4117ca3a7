import { Logger } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { isReadOnly } from './refusals.js';

/**
 * For enqueueing and wake-ups: while Redis is unreachable a command fails within 2 s instead of waiting in an offline
 * queue; PostgreSQL keeps the work.
 */
const PRODUCER: RedisOptions = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 2_000,
  connectTimeout: 2_000,
};

/** For blocking reads and subscriptions: they wait until Redis is reachable. */
const CONSUMER: RedisOptions = {
  // Bull requires these two options.
  maxRetriesPerRequest: null,
  enableReadyCheck: false,
  // ioredis 5 does not handle its rejection, which would end this process: subscribers do it at `ready`.
  autoResubscribe: false,
};

const ALWAYS: RedisOptions = {
  retryStrategy: (times) => Math.min(times * 100, 2_000),
  keepAlive: 10_000,
  // A stopping process does not wait for Redis to close the connection.
  disconnectTimeout: 200,
};

/** A connection that fails fast. */
export function producerConnection(url: string): Redis {
  return withErrorListener(
    new Redis(url, { ...PRODUCER, ...ALWAYS, reconnectOnError: rateLimited(isReadOnly) }),
  );
}

/** A connection that waits. */
export function consumerConnection(url: string): Redis {
  return withErrorListener(
    new Redis(url, { ...CONSUMER, ...ALWAYS, reconnectOnError: rateLimited(isReadOnly) }),
  );
}

/** Minimum interval between reconnects away from a replica, in ms. */
const RECONNECT_INTERVAL_MS = 2_000;

/**
 * After a failover the name in REDIS_URL points to the new primary, while this connection still leads to the old one,
 * which is now read-only.
 */
function rateLimited(applies: (error: Error) => boolean): (error: Error) => boolean {
  let last = -Infinity;
  return (error) => {
    if (!applies(error) || performance.now() - last < RECONNECT_INTERVAL_MS) return false;
    last = performance.now();
    return true;
  };
}

/** How often a refused login is logged while it lasts, in ms: each of many connections retries every 2 s. */
const REFUSAL_LOG_INTERVAL_MS = 60_000;
/** When it was last logged, by server. */
const refusalLoggedAt = new Map<string, number>();

/**
 * Without a listener a lost connection would crash the process; readiness and each command report it. Only a refused
 * login is logged here: it needs a change of settings, and elsewhere looks like a Redis that does not answer.
 */
function withErrorListener(redis: Redis): Redis {
  redis.on('error', (error: unknown) => {
    if (!isRefusedLogin(error)) return;
    const server = `${redis.options.host}:${redis.options.port}`;
    const now = performance.now();
    if (now - (refusalLoggedAt.get(server) ?? -Infinity) < REFUSAL_LOG_INTERVAL_MS) return;
    refusalLoggedAt.set(server, now);
    // Not the error itself: it carries the command with the password.
    new Logger('Redis').error({ event: 'redis_login_refused', hint: LOGIN_HINT, detail: error.message });
  });
  return redis;
}

const LOGIN_HINT = 'check the user and password in REDIS_URL';

/** https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
function isRefusedLogin(error: unknown): error is Error {
  return error instanceof Error && /^(WRONGPASS|NOAUTH)|invalid password/.test(error.message);
}

/** @throws Error when the server is a Sentinel, which answers but holds no data. */
export async function assertHoldsData(redis: Redis): Promise<void> {
  // Some managed Redis hide it; the next command reports a refused login.
  const info = await redis.info('server').catch(() => '');
  if (!/^redis_mode:sentinel/m.test(info)) return;
  throw new Error(
    'REDIS_URL names a Sentinel, which holds no data: name the Redis primary, or a proxy that leads to it',
  );
}

/**
 * Refuses a Redis that evicts keys when it is full: queued work could vanish at any moment.
 * @returns false when a managed Redis hides its configuration.
 * @throws Error naming the policy, or that the login is refused.
 */
export async function assertNoEviction(redis: Redis): Promise<boolean> {
  let policy: string | undefined;
  try {
    [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
  } catch (error) {
    if (isRefusedLogin(error))
      throw new Error(`Redis rejects the login (${error.message}): ${LOGIN_HINT}`, { cause: error });
    if (error instanceof Error && /unknown command|NOPERM|not allowed/i.test(error.message)) return false;
    throw error;
  }
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(
      `Redis has maxmemory-policy ${policy}; set it to noeviction, or Redis may delete queued jobs`,
    );
  }
  return policy !== undefined;
}
