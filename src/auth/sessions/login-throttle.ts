import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Problem } from '../../platform/errors/problem.js';
import { networkOf } from '../../platform/http/addresses.js';
import { primariesOf, producerConnection, type RedisConnection } from '../../platform/redis/connections.js';
import { KnownDevices } from './known-devices.js';

const HOUR_SECONDS = 60 * 60;
const WINDOW_SECONDS = 15 * 60;
const LOCK_SECONDS = 15 * 60;
/** From this failure on, each one delays the next attempt: 1, 2, 4, 8, 16 s. */
const SLOW_FROM = 5;
/** This failure within the window locks the source. */
const LOCKED_AT = 10;
/** Attempts of unknown devices on one account per hour, from all addresses; beyond it they take turns, never locked. */
const MAX_UNKNOWN_PER_HOUR = 50;
/** Attempts of all known devices of one account in an hour; beyond it they take turns with the unknown ones. */
const MAX_KNOWN_PER_HOUR = 50;
/** One turn: 360 guesses an hour for a botnet of any size. */
const TURN_SECONDS = 10;
/** Links requested for one account per hour by one source, and by all unknown ones together. */
const RESETS_PER_HOUR = 3;
const MAX_UNKNOWN_RESETS_PER_HOUR = 20;
/** Keys per SCAN step of `unlock`. */
const SCAN_COUNT = 1_000;
/** How long `unlock` waits for Redis, in a newly started process. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Attempts with the same name count together. Unknown users are counted like any other. */
export interface LoginName {
  /** The slug; undefined for operators. */
  tenant: string | undefined;
  /** In lower case. */
  email: string;
}

/** Where an attempt comes from. */
export interface LoginSource {
  /** IP address of the client. */
  address: string;
  /** The client's device token, from an earlier sign-in. */
  device?: string;
  /** Of the account that is tried; a device is known while it has this password. */
  password_hash?: string | null;
  /** The session of a caller who is signed in: as good as a known device. */
  session?: string;
}

/** An attempt whose password may be checked. */
export interface AdmittedAttempt {
  name: LoginName;
  /** The number of this attempt of its source in the window. */
  attempt: number;
  key: string;
  /** The account's limits that it has used a part of. */
  shares: RateLimiterRedis[];
}

/**
 * Slows down and then locks the source of failed sign-ins: the device if it has signed in to this account before, else
 * the address (IPv6: its /64). So nobody can lock out somebody else. Beyond a limit, all unknown sources together are
 * slowed down. Redis keeps the counts for all processes; while it is unreachable each process keeps its own. Uses real
 * time, not the business clock.
 */
@Injectable()
export class LoginThrottle implements OnApplicationShutdown {
  private readonly logger = new Logger('Login');
  private readonly redis: RedisConnection;
  private readonly prefix: string;
  private readonly attempts: RateLimiterRedis;
  private readonly waits: RateLimiterRedis;
  private readonly locks: RateLimiterRedis;
  private readonly unknown: RateLimiterRedis;
  private readonly known: RateLimiterRedis;
  private readonly proven: RateLimiterRedis;
  private readonly turns: RateLimiterRedis;
  private readonly resets: RateLimiterRedis;
  private readonly unknownResets: RateLimiterRedis;

  constructor(
    private readonly devices: KnownDevices,
    @Inject(CONFIG) config: Config,
  ) {
    this.redis = producerConnection(config.redisUrl ?? '');
    this.prefix = config.redisPrefix;
    const limiter = (name: string, points: number, duration: number) => {
      const limits = { keyPrefix: `${this.prefix}:${name}`, points, duration };
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
    this.unknown = limiter('login-unknown', MAX_UNKNOWN_PER_HOUR, HOUR_SECONDS);
    this.known = limiter('login-known', MAX_KNOWN_PER_HOUR, HOUR_SECONDS);
    this.proven = limiter('login-proven', 1, HOUR_SECONDS);
    this.turns = limiter('login-turn', 1, TURN_SECONDS);
    this.resets = limiter('password-reset', RESETS_PER_HOUR, HOUR_SECONDS);
    this.unknownResets = limiter('password-reset-unknown', MAX_UNKNOWN_RESETS_PER_HOUR, HOUR_SECONDS);
  }

  /**
   * Counts an attempt before its password is checked, so that concurrent attempts cannot slip through.
   * @throws Problem too_many_attempts with Retry-After.
   */
  async admit(name: LoginName, source: LoginSource): Promise<AdmittedAttempt> {
    const account = accountOf(name);
    const { key, kind } = await this.sourceOf(account, source);
    const wait = await this.waitOf(key);
    if (wait > 0) throw tooMany(wait);
    const { consumedPoints: attempt, msBeforeNext } = await this.attempts.penalty(key);
    if (attempt > LOCKED_AT) throw tooMany(msBeforeNext);
    const shares: RateLimiterRedis[] = [];
    let turns = kind === 'unknown';
    if (kind === 'known') {
      shares.push(this.known);
      turns = (await this.known.penalty(account)).consumedPoints > MAX_KNOWN_PER_HOUR;
    }
    if (turns) {
      shares.push(this.unknown);
      await this.takeTurn(account, key);
    }
    return { name, attempt, key, shares };
  }

  /** The admitted attempt had a wrong password. @returns whether its source is now locked. */
  async failed({ key, attempt }: AdmittedAttempt): Promise<boolean> {
    if (attempt >= LOCKED_AT) {
      // Not an extended delay: an earlier attempt that fails later would shorten it again.
      await this.locks.block(key, LOCK_SECONDS);
      this.logger.warn({ event: 'login_locked', login: key.slice(0, 16), seconds: LOCK_SECONDS });
      return true;
    }
    if (attempt >= SLOW_FROM) await this.waits.block(key, 2 ** (attempt - SLOW_FROM));
    return false;
  }

  /** The right password was given: the source's count begins anew. What strangers did stays counted. */
  async forgive({ name, key, shares }: AdmittedAttempt): Promise<void> {
    await this.forget(key);
    await Promise.all(shares.map((share) => share.reward(accountOf(name))));
  }

  /**
   * A new password was set by a link: its mailbox's owner must be able to sign in with it now. Their address is as
   * good as a known device for an hour, so that they wait for no turn while strangers guess.
   */
  async startAnew(name: LoginName, source: LoginSource): Promise<void> {
    const account = accountOf(name);
    const key = keyOf(account, `address:${networkOf(source.address)}`);
    await Promise.all([
      this.forget(key),
      this.proven.block(key, HOUR_SECONDS),
      this.known.delete(account),
      this.unknown.delete(account),
      this.turns.delete(account),
    ]);
  }

  /** The token that makes the client that has just signed in known: its own, or a new one. */
  deviceToken(name: LoginName, { device, password_hash = null }: LoginSource): string {
    const owner = { account: accountOf(name), password_hash };
    return this.devices.issue(owner, this.devices.read(device, owner) ?? undefined);
  }

  /** Whether one more link may be mailed to this account. A stranger uses up their own share of it. */
  async admitReset(
    name: LoginName,
    { address, device, password_hash = null }: LoginSource,
  ): Promise<boolean> {
    const account = accountOf(name);
    const nonce = this.devices.read(device, { account, password_hash });
    const source = nonce === null ? `address:${networkOf(address)}` : `device:${nonce}`;
    const { consumedPoints } = await this.resets.penalty(keyOf(account, source));
    if (consumedPoints > RESETS_PER_HOUR) return false;
    if (nonce !== null) return true;
    const all = await this.unknownResets.penalty(account);
    return all.consumedPoints <= MAX_UNKNOWN_RESETS_PER_HOUR;
  }

  /** Forgets all failures and locks of an account from all sources. @returns the number of deleted keys. */
  async unlock(name: LoginName): Promise<number> {
    const pattern = `${this.prefix.replace(/[\\*?[\]]/g, '\\$&')}:*:${accountOf(name)}*`;
    await this.connected();
    const removed = await Promise.all(primariesOf(this.redis).map((server) => removeKeys(server, pattern)));
    return removed.reduce((sum, count) => sum + count, 0);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  /** Not `once`: it gives up at the first error, while the client goes on connecting. */
  private async connected(): Promise<void> {
    if (this.redis.status === 'ready') return;
    await new Promise<void>((resolve, reject) => {
      const ready = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.redis.off('ready', ready);
        reject(new Error(`Redis has not answered for ${CONNECT_TIMEOUT_MS / 1_000} s`));
      }, CONNECT_TIMEOUT_MS);
      this.redis.once('ready', ready);
    });
  }

  /** A known device that guesses is treated as an unknown one once it is locked. */
  private async sourceOf(
    account: string,
    { address, device, session, password_hash = null }: LoginSource,
  ): Promise<{ key: string; kind: 'session' | 'known' | 'unknown' }> {
    if (session !== undefined) return { key: keyOf(account, `session:${session}`), kind: 'session' };
    const nonce = this.devices.read(device, { account, password_hash });
    if (nonce !== null) {
      const key = keyOf(account, `device:${nonce}`);
      if ((await this.locks.get(key)) === null) return { key, kind: 'known' };
    }
    const key = keyOf(account, `address:${networkOf(address)}`);
    return { key, kind: (await this.proven.get(key)) === null ? 'unknown' : 'known' };
  }

  private async waitOf(key: string): Promise<number> {
    const stops = await Promise.all([this.locks.get(key), this.waits.get(key)]);
    return Math.max(...stops.map((stop) => stop?.msBeforeNext ?? 0));
  }

  /** Beyond the limit, one attempt of an unknown device is admitted every 10 s. */
  private async takeTurn(account: string, key: string): Promise<void> {
    const { consumedPoints } = await this.unknown.penalty(account);
    if (consumedPoints <= MAX_UNKNOWN_PER_HOUR) return;
    try {
      await this.turns.consume(account);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      // The source made no guess: waiting for a turn must not lock it.
      await this.attempts.reward(key);
      throw tooMany(error.msBeforeNext);
    }
  }

  private async forget(key: string): Promise<void> {
    await Promise.all([this.attempts, this.waits, this.locks].map((limiter) => limiter.delete(key)));
  }
}

/** @returns the number of deleted keys. */
async function removeKeys(server: Redis, pattern: string): Promise<number> {
  let [cursor, removed] = ['0', 0];
  do {
    const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    // One command for each: in a cluster, one may only name keys of the same slot.
    const deletions = server.pipeline();
    for (const key of keys) deletions.del(key);
    for (const [error, count] of (await deletions.exec()) ?? []) {
      if (error !== null) throw error;
      removed += Number(count);
    }
    cursor = next;
  } while (cursor !== '0');
  return removed;
}

/** Redis stores no address, and no tenant's slug can be confused with a part of one. */
function accountOf({ tenant, email }: LoginName): string {
  return sha256(JSON.stringify([tenant ?? null, email]));
}

/** Starts with the account, for `unlock` to find. */
function keyOf(account: string, source: string): string {
  return `${account}:${sha256(source).slice(0, 32)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function tooMany(ms: number): Problem {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  return new Problem('too_many_attempts', undefined, { headers: { 'retry-after': String(seconds) } });
}
