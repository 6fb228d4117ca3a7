import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Problem } from '../../platform/errors/problem.js';
import { producerConnection } from '../../platform/queues/connections.js';

const WINDOW_SECONDS = 15 * 60;
const LOCK_SECONDS = 15 * 60;
/** From this failure on each one makes the next attempt wait: 1, 2, 4, 8, 16 s. */
const SLOW_FROM = 5;
/** This failure within the window locks. */
const LOCKED_AT = 10;
/** Links asked for one address in an hour. */
const RESETS_PER_HOUR = 3;

/** Whose attempts count together. An unknown user is counted like any other. */
export interface LoginName {
  /** The slug; undefined for operators. */
  tenant: string | undefined;
  /** In lower case. */
  email: string;
}

/**
 * Slows down and then locks a login after failures, wherever they come from. Redis keeps the counts for all
 * processes; while it is unreachable each process keeps its own. The time is real time, not the business clock's.
 */
@Injectable()
export class LoginThrottle implements OnApplicationShutdown {
  private readonly logger = new Logger('Login');
  private readonly redis: Redis;
  private readonly attempts: RateLimiterRedis;
  private readonly waits: RateLimiterRedis;
  private readonly locks: RateLimiterRedis;
  private readonly resets: RateLimiterRedis;

  constructor(@Inject(CONFIG) config: Config) {
    this.redis = producerConnection(config.redisUrl ?? '');
    const limiter = (name: string, points: number, duration: number) => {
      const limits = { keyPrefix: `${config.redisPrefix}:${name}`, points, duration };
      return new RateLimiterRedis({
        ...limits,
        storeClient: this.redis,
        rejectIfRedisNotReady: true,
        insuranceLimiter: new RateLimiterMemory(limits),
      });
    };
    this.attempts = limiter('login', LOCKED_AT, WINDOW_SECONDS);
    this.waits = limiter('login-wait', 1, WINDOW_SECONDS);
    this.locks = limiter('login-lock', 1, LOCK_SECONDS);
    this.resets = limiter('password-reset', RESETS_PER_HOUR, 60 * 60);
  }

  /**
   * Counts an attempt before its password is looked at, so that many at the same moment do not slip through.
   * @returns how many there were in this window, this one included; hand it to `failed`.
   * @throws Problem too_many_attempts with Retry-After.
   */
  async admit(name: LoginName): Promise<number> {
    const key = keyOf(name);
    const stops = await Promise.all([this.locks.get(key), this.waits.get(key)]);
    const wait = Math.max(...stops.map((stop) => stop?.msBeforeNext ?? 0));
    if (wait > 0) throw tooMany(wait);
    const { consumedPoints, msBeforeNext } = await this.attempts.penalty(key);
    if (consumedPoints > LOCKED_AT) throw tooMany(msBeforeNext);
    return consumedPoints;
  }

  /** The admitted attempt had a wrong password. */
  async failed(name: LoginName, attempt: number): Promise<void> {
    const key = keyOf(name);
    if (attempt >= LOCKED_AT) {
      // Not the wait made longer: an earlier attempt that fails later would make it short again.
      await this.locks.block(key, LOCK_SECONDS);
      this.logger.warn({ event: 'login_locked', login: key.slice(0, 16), seconds: LOCK_SECONDS });
    } else if (attempt >= SLOW_FROM) {
      await this.waits.block(key, 2 ** (attempt - SLOW_FROM));
    }
  }

  /** The right password was given, or a new one was set: the count begins anew. */
  async forgive(name: LoginName): Promise<void> {
    const key = keyOf(name);
    await Promise.all([this.attempts, this.waits, this.locks].map((limiter) => limiter.delete(key)));
  }

  /** Whether one more link may be mailed to this address. */
  async admitReset(name: LoginName): Promise<boolean> {
    const { consumedPoints } = await this.resets.penalty(keyOf(name));
    return consumedPoints <= RESETS_PER_HOUR;
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}

/** No address is kept in Redis, and no tenant's slug can be mistaken for a part of one. */
function keyOf({ tenant, email }: LoginName): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant ?? null, email]))
    .digest('hex');
}

function tooMany(ms: number): Problem {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  return new Problem('too_many_attempts', undefined, { headers: { 'retry-after': String(seconds) } });
}
