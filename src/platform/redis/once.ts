import type { Redis } from 'ioredis';
import { DeadlineError } from '../clock/timeout.js';
import { type OneServer, placeOfHost, type RedisHost, type RedisTarget } from '../config/redis-url.js';
import { causeOf, type RedisConnection, singleConnection, singleServer } from './connections.js';

/**
 * Runs work on a connection that does not reconnect.
 * @param timeoutMs of connecting, and of each command.
 * @throws the first error of the connection, which says more than that of the command
 */
export function withRedis<Result>(
  target: RedisTarget,
  timeoutMs: number,
  work: (redis: RedisConnection) => Promise<Result>,
): Promise<Result> {
  return during(singleConnection(target, timeoutMs), work);
}

/** The same with one of the servers behind REDIS_URL. */
export function withServer<Result>(
  server: OneServer,
  timeoutMs: number,
  work: (redis: Redis) => Promise<Result>,
): Promise<Result> {
  return during(singleServer(server, timeoutMs), work);
}

async function during<Connection extends RedisConnection, Result>(
  redis: Connection,
  work: (redis: Connection) => Promise<Result>,
): Promise<Result> {
  let first: unknown;
  redis.on('error', (error: unknown) => (first ??= causeOf(error)));
  try {
    await redis.connect();
    return await work(redis);
  } catch (error) {
    const cause = first ?? error;
    throw isSilence(cause) ? new DeadlineError('no answer') : cause;
  } finally {
    redis.disconnect();
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

/** A server behind REDIS_URL as a target of its own. @param db its database */
export function serverAt(
  { login, encrypted }: Pick<RedisTarget, 'login' | 'encrypted'>,
  host: RedisHost,
  db = 0,
): OneServer {
  const { username, password } = login;
  const anonymous = username === '' && password === '';
  const credentials = anonymous ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const url = `${encrypted ? 'rediss' : 'redis'}://${credentials}${placeOfHost(host)}/${db}`;
  return { kind: 'server', hosts: [host], login, encrypted, url };
}
