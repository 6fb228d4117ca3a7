import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DeadlineError, withTimeout } from '../clock/timeout.js';
import type { Config } from '../config/config.js';
import { parseRedisUrl } from '../config/redis-url.js';
import { examineRedis } from './examination.js';
import { RedisFault } from './refusals.js';

/** How long to wait for Redis at start, in ms: containers may start together. */
const ANSWERS_WITHIN_MS = 10_000;
/** How long a server has to accept a connection, or to answer a command. */
const SERVER_TIMEOUT_MS = 2_000;
const RETRY_INTERVAL_MS = 250;

/**
 * Checks every server of Redis before anything is written to it.
 * @throws Error when Redis does not answer in time, refuses the login, is not what REDIS_URL says, or may evict keys.
 */
export async function checkRedis(config: Config): Promise<void> {
  const target = parseRedisUrl(config.redisUrl ?? '');
  const { evicting, hidesPolicy, warnings } = await answered(() => examineRedis(target, SERVER_TIMEOUT_MS));
  const [first] = evicting;
  if (first !== undefined) throw first;
  const logger = new Logger('Redis');
  if (hidesPolicy) logger.warn({ event: 'redis_policy_hidden', hint: 'maxmemory-policy must be noeviction' });
  for (const detail of warnings) logger.warn({ event: 'redis_incomplete', detail });
}

/** Tries again until Redis answers. @throws RedisFault at once; else the last error. */
async function answered<Result>(ask: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + ANSWERS_WITHIN_MS;
  let last: unknown;
  do {
    try {
      return await withTimeout(ask(), Math.max(1, deadline - performance.now()), 'no answer');
    } catch (error) {
      if (error instanceof RedisFault) throw error;
      // The last attempt ends with the deadline, which says less than the error before.
      if (!(error instanceof DeadlineError) || last === undefined) last = error;
      await delay(RETRY_INTERVAL_MS);
    }
  } while (performance.now() < deadline);
  throw last;
}
