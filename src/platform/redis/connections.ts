import { Logger } from '@nestjs/common';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import {
  type OneServer,
  parseRedisUrl,
  placeOfRedis,
  type RedisLogin,
  type RedisTarget,
} from '../config/redis-url.js';
import { isReadOnly, isRefusedLogin, LOGIN_HINT } from './refusals.js';
import { dropWhenSilent } from './silence.js';

/** A client of one server, of the primary that Sentinels name, or of a cluster. */
export type RedisConnection = Redis | Cluster;

/** How a connection behaves while its servers do not answer. */
interface Behaviour {
  /** Of each connection to a server, also to a node of a cluster. */
  each: Omit<NonNullable<ClusterOptions['redisOptions']>, 'lazyConnect'>;
  /** Of a client of one server. */
  server: RedisOptions;
  /** Of a client of a cluster, which decides itself when a node is connected again. */
  cluster: ClusterOptions;
}

const retryStrategy = (times: number): number => Math.min(times * 100, 2_000);

const ALWAYS: Behaviour['each'] = {
  keepAlive: 10_000,
  // A stopping process does not wait for Redis to close the connection.
  disconnectTimeout: 200,
};

/**
 * For enqueueing and wake-ups: while Redis is unreachable a command fails within 2 s instead of waiting in an offline
 * queue; PostgreSQL keeps the work.
 */
const PRODUCER: Behaviour = {
  each: { ...ALWAYS, maxRetriesPerRequest: 1, commandTimeout: 2_000, connectTimeout: 2_000 },
  server: { retryStrategy, enableOfflineQueue: false },
  cluster: {
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    // 6 × 200 ms, then the command fails with the reason.
    maxRedirections: 6,
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 200,
  },
};

/** For blocking reads and subscriptions: they wait until Redis is reachable. */
const CONSUMER: Behaviour = {
  each: {
    ...ALWAYS,
    // Bull requires these two options.
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    // ioredis 5 does not handle its rejection, which would end this process: subscribers do it at `ready`.
    autoResubscribe: false,
  },
  server: { retryStrategy },
  cluster: { clusterRetryStrategy: retryStrategy },
};

/** A connection that fails fast. */
export function producerConnection(url: string): RedisConnection {
  return lasting(parseRedisUrl(url), PRODUCER);
}

/** A connection that waits. */
export function consumerConnection(url: string): RedisConnection {
  return lasting(parseRedisUrl(url), CONSUMER);
}

/**
 * A connection that does not reconnect, to be opened with `connect()`.
 * @param timeoutMs of connecting, and of each command.
 */
export function singleConnection(target: RedisTarget, timeoutMs: number): RedisConnection {
  return open(target, single(timeoutMs));
}

/** The same to one server. */
export function singleServer({ url }: OneServer, timeoutMs: number): Redis {
  const { each, server } = single(timeoutMs);
  return new Redis(url, { ...each, ...server });
}

const never = () => null;

const single = (timeoutMs: number): Behaviour => ({
  each: {
    ...ALWAYS,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
  },
  server: { lazyConnect: true, retryStrategy: never, sentinelRetryStrategy: never },
  cluster: { lazyConnect: true, clusterRetryStrategy: never, maxRedirections: 3 },
});

/** The servers that hold the keys: each primary of a cluster, else the only one. */
export function primariesOf(connection: RedisConnection): Redis[] {
  return connection instanceof Cluster ? connection.nodes('master') : [connection];
}

/** Whether a command would be sent now. A closing connection still reports ready. */
export function isOpen(connection: RedisConnection): boolean {
  if (connection.status !== 'ready') return false;
  return connection instanceof Cluster || connection.stream.writable;
}

function lasting(target: RedisTarget, { each, ...rest }: Behaviour): RedisConnection {
  const connection = open(target, { each: { ...each, reconnectOnError: rateLimited(isReadOnly) }, ...rest });
  dropWhenSilent(connection);
  return withErrorListener(connection, placeOfRedis(target));
}

function open(target: RedisTarget, { each, server, cluster }: Behaviour): RedisConnection {
  const access = { ...loginOf(target.login), ...(target.encrypted ? { tls: {} } : {}) };
  switch (target.kind) {
    case 'server':
      return new Redis(target.url, { ...each, ...server });
    case 'sentinel':
      return new Redis({
        sentinelRetryStrategy: retryStrategy,
        ...each,
        ...server,
        ...access,
        ...sentinelOptions(target.sentinelLogin, target.encrypted),
        // Another Sentinel is asked after this time.
        connectTimeout: Math.min(each.connectTimeout ?? SENTINEL_TIMEOUT_MS, SENTINEL_TIMEOUT_MS),
        sentinels: target.hosts.map((host) => ({ ...host })),
        name: target.name,
        db: target.db,
      });
    case 'cluster':
      return new Cluster(
        target.hosts.map((host) => ({ ...host })),
        {
          ...cluster,
          // Keeps host names, which TLS compares with the certificate.
          dnsLookup: (address, done) => done(null, address),
          slotsRefreshTimeout: SENTINEL_TIMEOUT_MS,
          redisOptions: { ...each, ...access },
        },
      );
  }
}

/** How long a Sentinel, or a node asked for the layout of its cluster, has to answer, in ms. */
const SENTINEL_TIMEOUT_MS = 2_000;

function sentinelOptions({ username, password }: RedisLogin, encrypted: boolean): RedisOptions {
  return {
    ...(username === '' ? {} : { sentinelUsername: username }),
    ...(password === '' ? {} : { sentinelPassword: password }),
    ...(encrypted ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
  };
}

function loginOf({ username, password }: RedisLogin): Pick<RedisOptions, 'username' | 'password'> {
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

/** Minimum interval between reconnects away from a replica, in ms. */
const RECONNECT_INTERVAL_MS = 2_000;

/**
 * After a failover the address leads to the new primary, while this connection still leads to the old one, which is now
 * read-only.
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
function withErrorListener(redis: RedisConnection, place: string): RedisConnection {
  redis.on('error', (error: unknown) => {
    const cause = causeOf(error);
    if (!isRefusedLogin(cause)) return;
    const now = performance.now();
    if (now - (refusalLoggedAt.get(place) ?? -Infinity) < REFUSAL_LOG_INTERVAL_MS) return;
    refusalLoggedAt.set(place, now);
    // Not the error itself: it carries the command with the password.
    new Logger('Redis').error({ event: 'redis_login_refused', hint: LOGIN_HINT, detail: cause.message });
  });
  return redis;
}

/** The error of a node, if a cluster fails because of it: it says more. */
export function causeOf(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error ? (error.lastNodeError ?? error) : error;
}
