import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { CONFIG, type Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import { producerConnection } from '../queues/connections.js';
import { networkOf } from './addresses.js';

const WINDOW_SECONDS = 60;
/** How often this process tells the others what it has counted, and hears of theirs. */
const SHARE_EVERY_MS = 250;
/** Callers told of in one round. */
const SHARED_AT_ONCE = 1_000;
/** Callers that are counted at the same time; beyond that the longest known is forgotten. */
const MOST_CALLERS = 50_000;

/** What a caller has used of the current minute. */
interface Usage {
  /** By all processes, as far as this one knows. */
  used: number;
  /** The part of it that Redis has not been told yet. */
  unshared: number;
  /** End of the minute, on this process's own clock (`performance.now()`). */
  ends: number;
  sharing: boolean;
}

/** What is left to a caller, as the headers of an answer. */
export type LimitHeaders = Record<'ratelimit-limit' | 'ratelimit-remaining' | 'ratelimit-reset', string>;

/**
 * How many requests a caller may make in a minute. Each process counts in its own memory, so that no request
 * waits for Redis, and shares its counts a few times a second: a caller of several processes is stopped that
 * much later, and while Redis is away each process goes on by its own count. The time is real time, not the
 * business clock's.
 */
@Injectable()
export class RequestLimits implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly usages = new Map<string, Usage>();
  private readonly redis: Redis;
  private readonly shared: RateLimiterRedis;
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.redis = producerConnection(config.redisUrl ?? '');
    this.shared = new RateLimiterRedis({
      keyPrefix: `${config.redisPrefix}:requests`,
      // Nothing is refused by it: it adds up.
      points: Number.MAX_SAFE_INTEGER,
      duration: WINDOW_SECONDS,
      storeClient: this.redis,
      rejectIfRedisNotReady: true,
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.share(), SHARE_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.redis.disconnect();
  }

  /** Counts a request of somebody who is known. @throws Problem rate_limited */
  countPrincipal(principal: string): LimitHeaders | null {
    return this.count(principal, this.config.requestsPerMinute);
  }

  /** Counts a request of somebody who is not. @throws Problem rate_limited */
  countAddress(address: string): LimitHeaders | null {
    return this.count(`ip:${networkOf(address)}`, this.config.anonymousRequestsPerMinute);
  }

  private count(caller: string, limit: number): LimitHeaders | null {
    if (limit === 0) return null;
    const now = performance.now();
    const usage = this.usageOf(caller, now);
    const reset = String(Math.min(WINDOW_SECONDS, Math.max(1, Math.ceil((usage.ends - now) / 1_000))));
    const headers = (remaining: number): LimitHeaders => ({
      'ratelimit-limit': String(limit),
      'ratelimit-remaining': String(remaining),
      'ratelimit-reset': reset,
    });
    if (usage.used >= limit) {
      throw new Problem('rate_limited', undefined, { headers: { ...headers(0), 'retry-after': reset } });
    }
    usage.used += 1;
    usage.unshared += 1;
    return headers(limit - usage.used);
  }

  private usageOf(caller: string, now: number): Usage {
    const known = this.usages.get(caller);
    if (known !== undefined && known.ends > now) return known;
    const usage = { used: 0, unshared: 0, ends: now + WINDOW_SECONDS * 1_000, sharing: false };
    this.usages.delete(caller);
    if (this.usages.size >= MOST_CALLERS) this.forgetOne();
    this.usages.set(caller, usage);
    return usage;
  }

  private forgetOne(): void {
    for (const oldest of this.usages.keys()) {
      this.usages.delete(oldest);
      return;
    }
  }

  /** One round: forgets who has nothing left to count, and tells Redis of the others. */
  private share(): void {
    const now = performance.now();
    let told = 0;
    for (const [caller, usage] of this.usages) {
      if (usage.ends <= now) this.usages.delete(caller);
      else if (usage.unshared > 0 && !usage.sharing && told < SHARED_AT_ONCE) {
        told += 1;
        void this.shareOne(caller, usage);
      }
    }
  }

  private async shareOne(caller: string, usage: Usage): Promise<void> {
    const told = usage.unshared;
    usage.unshared = 0;
    usage.sharing = true;
    try {
      const { consumedPoints, msBeforeNext } = await this.shared.penalty(caller, told);
      usage.used = consumedPoints + usage.unshared;
      usage.ends = performance.now() + msBeforeNext;
    } catch {
      // Redis is away: what was counted stays counted here, and is told when it is back.
      usage.unshared += told;
    } finally {
      usage.sharing = false;
    }
  }
}
