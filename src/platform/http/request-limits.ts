import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  SetMetadata,
} from '@nestjs/common';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { CONFIG, type Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import { producerConnection, type RedisConnection } from '../redis/connections.js';
import { networkOf } from './addresses.js';

const WINDOW_SECONDS = 60;
/** Interval at which this process exchanges its counts with the others. */
const SHARE_INTERVAL_MS = 250;
/** Callers shared in one round. */
const SHARED_AT_ONCE = 1_000;
/** Maximum number of tracked callers; beyond it the oldest is forgotten. */
const MAX_CALLERS = 50_000;

export const COUNTS_REQUESTS = 'vigie:counts-requests';

/** The public route counts its callers' requests itself. */
export function CountsRequests(): MethodDecorator {
  return SetMetadata(COUNTS_REQUESTS, true);
}

/** A caller's usage in the current minute. */
interface Usage {
  /** By all processes, as far as this one knows. */
  used: number;
  /** The part of it not yet sent to Redis. */
  unshared: number;
  /** End of the minute, on this process's own clock (`performance.now()`). */
  ends: number;
  sharing: boolean;
}

/** A caller's remaining requests, as response headers. */
export type LimitHeaders = Record<'ratelimit-limit' | 'ratelimit-remaining' | 'ratelimit-reset', string>;

/**
 * Limits the requests of a caller per minute. Each process counts in memory, so that no request waits for Redis, and
 * shares its counts a few times a second. A caller of several processes is therefore stopped slightly later, and while
 * Redis is unreachable each process uses only its own count. Uses real time, not the business clock.
 */
@Injectable()
export class RequestLimits implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly usages = new Map<string, Usage>();
  private readonly redis: RedisConnection;
  private readonly shared: RateLimiterRedis;
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.redis = producerConnection(config.redisUrl ?? '');
    this.shared = new RateLimiterRedis({
      keyPrefix: `${config.redisPrefix}:requests`,
      // The limiter only counts; it never refuses.
      points: Number.MAX_SAFE_INTEGER,
      duration: WINDOW_SECONDS,
      storeClient: this.redis,
      rejectIfRedisNotReady: true,
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.share(), SHARE_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.redis.disconnect();
  }

  /** Counts a request of an authenticated caller. @throws Problem rate_limited */
  countPrincipal(principal: string): LimitHeaders | null {
    return this.count(principal, this.config.requestsPerMinute);
  }

  /** Counts an anonymous request. @throws Problem rate_limited */
  countAddress(address: string): LimitHeaders | null {
    return this.count(`ip:${networkOf(address)}`, this.config.anonymousRequestsPerMinute);
  }

  /**
   * Counts an act that has a limit of its own, such as a tenant's tests of webhooks.
   * @param detail for people, such as `at most 10 tests a minute`
   * @throws Problem too_many_attempts with Retry-After.
   */
  countAct(act: string, limit: number, detail: string): void {
    this.count(`act:${act}`, limit, (headers) => new Problem('too_many_attempts', detail, { headers }));
  }

  private count(caller: string, limit: number, refusal = limited): LimitHeaders | null {
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
      throw refusal({ ...headers(0), 'retry-after': reset });
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
    if (this.usages.size >= MAX_CALLERS) this.evictOldest();
    this.usages.set(caller, usage);
    return usage;
  }

  private evictOldest(): void {
    for (const oldest of this.usages.keys()) {
      this.usages.delete(oldest);
      return;
    }
  }

  /** One round: forgets callers whose minute has ended, and sends the counts of the others to Redis. */
  private share(): void {
    const now = performance.now();
    let shared = 0;
    for (const [caller, usage] of this.usages) {
      if (usage.ends <= now) this.usages.delete(caller);
      else if (usage.unshared > 0 && !usage.sharing && shared < SHARED_AT_ONCE) {
        shared += 1;
        void this.shareOne(caller, usage);
      }
    }
  }

  private async shareOne(caller: string, usage: Usage): Promise<void> {
    const counted = usage.unshared;
    usage.unshared = 0;
    usage.sharing = true;
    try {
      const { consumedPoints, msBeforeNext } = await this.shared.penalty(caller, counted);
      usage.used = consumedPoints + usage.unshared;
      usage.ends = performance.now() + msBeforeNext;
    } catch {
      // Redis is unreachable: keep the count and send it once Redis answers.
      usage.unshared += counted;
    } finally {
      usage.sharing = false;
    }
  }
}

function limited(headers: Record<string, string>): Problem {
  return new Problem('rate_limited', undefined, { headers });
}
