import type { Redis } from 'ioredis';
import {
  type OneServer,
  parseRedisUrl,
  placeOfRedis,
  type RedisTarget,
} from '../../platform/config/redis-url.js';
import type { RedisConnection } from '../../platform/redis/connections.js';
import { type EvictingRedis, examineRedis } from '../../platform/redis/examination.js';
import { withRedis, withServer } from '../../platform/redis/once.js';
import { isRefusedLogin, RedisFault, refusalOf } from '../../platform/redis/refusals.js';
import { STEP_DEADLINE_MS } from './check.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { messageOf } from './error-text.js';
import { outage } from './outage.js';

/** Of each connection and command, if several follow each other: Sentinels, servers, a write. */
const PART_DEADLINE_MS = 1_500;
/** Share of maxmemory above which Redis will soon refuse writes. */
const FULL = 0.9;
/** Seconds that the written key lives. */
const KEY_SECONDS = 10;

/** Connects to Redis as Vigie does, and writes a key. */
export async function checkRedis({ config }: DoctorContext): Promise<Finding[]> {
  const target = parseRedisUrl(config.redisUrl ?? '');
  const timeout = timeoutFor(target);
  try {
    const { primaries, replicas, warnings, evicting, hidesPolicy } = await examineRedis(target, timeout);
    const findings = [
      ...evicting.map(policyFault),
      ...warnings.map((words) => warning(words, 'Start it again, or remove it from REDIS_URL')),
      ...(hidesPolicy ? [note('this Redis hides its maxmemory-policy, which must be noeviction')] : []),
      ...(await Promise.all(primaries.map((server) => memoryWarnings(server, timeout)))).flat(),
    ];
    const refused = await withRedis(target, timeout, (redis) =>
      writeFault(redis, `${config.redisPrefix}:doctor`),
    );
    if (refused !== null) findings.push(refused);
    if (findings.some(({ state }) => state === 'fault' || (state === 'warning' && warnings.length === 0)))
      return findings;
    return [
      ok(`REDIS_URL at ${placeOfRedis(target)}: ${answersOf(target, primaries, replicas)}`),
      ...findings,
    ];
  } catch (error) {
    return [connectionFault(error, target)];
  }
}

/** Runs work on a connection as REDIS_URL says, within the deadline of a step. */
export function withConfiguredRedis<Result>(
  url: string,
  work: (redis: RedisConnection) => Promise<Result>,
): Promise<Result> {
  const target = parseRedisUrl(url);
  return withRedis(target, timeoutFor(target), work);
}

function timeoutFor({ kind }: RedisTarget): number {
  return kind === 'server' ? STEP_DEADLINE_MS : PART_DEADLINE_MS;
}

function answersOf(
  { kind }: RedisTarget,
  primaries: readonly OneServer[],
  replicas: readonly OneServer[],
): string {
  const what = 'answers, and takes writes';
  if (kind === 'server') return what;
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const places = primaries.map(placeOfRedis).join(', ');
  const primary = kind === 'sentinel' ? `the primary ${places}` : `${primaries.length} primaries (${places})`;
  return `${what}: ${primary} and ${count(replicas.length, 'replica', 'replicas')}`;
}

function policyFault({ server, policy }: EvictingRedis): Finding {
  return fault(
    `${server} may delete queued jobs: its maxmemory-policy is ${policy}`,
    'Set "maxmemory-policy noeviction" in redis.conf; now: redis-cli CONFIG SET maxmemory-policy noeviction',
  );
}

async function memoryWarnings(server: OneServer, timeoutMs: number): Promise<Finding[]> {
  const info = await withServer(server, timeoutMs, (redis: Redis) => redis.info('memory')).catch(() => '');
  const value = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const [used, max] = [value('used_memory'), value('maxmemory')];
  if (max === 0 || used / max < FULL) return [];
  return [
    warning(
      `Redis uses ${Math.round((100 * used) / max)} % of its maxmemory, and will refuse writes when it is full`,
      'Raise maxmemory in redis.conf, or find the other users of this Redis: redis-cli --bigkeys',
    ),
  ];
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/read only/, 'Set REDIS_URL to the primary, or to a name that follows it after a failover'],
  [/out of memory/, 'Raise maxmemory in redis.conf'],
  [/snapshot/, 'Free disk space for Redis, and see its log'],
  [
    /does not allow the user/,
    'Allow the user of REDIS_URL all commands on its keys: ACL SETUSER … ~* &* +@all',
  ],
  [/loading/, 'Wait until Redis has loaded its data'],
];

/** Why Redis refuses a write; null if it takes it. */
async function writeFault(redis: RedisConnection, key: string): Promise<Finding | null> {
  try {
    await redis.set(key, '1', 'EX', KEY_SECONDS);
    return null;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    const remedy = REFUSED.find(([words]) => words.test(refusal))?.[1];
    const [sentence = refusal, advice] = refusal.split(': ');
    return fault(sentence, remedy ?? (advice === undefined ? 'See the log of Redis' : capitalized(advice)));
  }
}

function connectionFault(error: unknown, target: RedisTarget): Finding {
  const { kind } = target;
  const place = placeOfRedis(target);
  const message = messageOf(error);
  if (isRefusedLogin(error) && !/the Sentinel/.test(message))
    return fault(
      `REDIS_URL at ${place}: Redis rejects the login`,
      'Correct user and password in REDIS_URL: redis://user:password@host:port (the default user has no name)',
    );
  if (error instanceof RedisFault) {
    return fault(error.sentence, capitalized(error.remedy ?? 'correct REDIS_URL'));
  }
  if (/Connection is closed|ECONNRESET/.test(message))
    return fault(
      `REDIS_URL at ${place}: Redis closed the connection`,
      target.encrypted
        ? 'Check that this port uses TLS, and whether it requires a client certificate (tls-auth-clients no)'
        : `If this port uses TLS, begin REDIS_URL with rediss${kind === 'server' ? '' : `+${kind}`}://`,
    );
  return outage(error, {
    name: 'Redis',
    setting: 'REDIS_URL',
    place,
    authority: 'Start Vigie with NODE_EXTRA_CA_CERTS=/path/of/the/authority.pem',
    encryption: 'Begin REDIS_URL with redis:// instead of rediss://, or name the TLS port of Redis',
  });
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
