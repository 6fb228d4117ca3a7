import { Redis } from 'ioredis';
import { assertHoldsData, assertNoEviction } from '../../platform/queues/connections.js';
import { refusalOf } from '../../platform/queues/refusals.js';
import { placeOf } from '../../platform/start/start-error.js';
import { STEP_DEADLINE_MS } from './check.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { messageOf } from './error-text.js';
import { outage } from './outage.js';

const PORT = 6_379;
/** Share of maxmemory above which Redis will soon refuse writes. */
const FULL = 0.9;
/** Seconds that the written key lives. */
const KEY_SECONDS = 10;

/** Connects to Redis as Vigie does, and writes a key. */
export async function checkRedis({ config }: DoctorContext): Promise<Finding[]> {
  const url = config.redisUrl ?? '';
  try {
    return await withRedis(url, async (redis) => {
      await assertHoldsData(redis);
      const findings = [...(await policyFaults(redis)), ...(await memoryWarnings(redis))];
      const refused = await writeFault(redis, `${config.redisPrefix}:doctor`);
      if (refused !== null) findings.push(refused);
      if (findings.some(({ state }) => state !== 'note')) return findings;
      return [ok(`REDIS_URL at ${placeOf(url, PORT)}: answers, and takes writes`), ...findings];
    });
  } catch (error) {
    return [connectionFault(error, url)];
  }
}

/**
 * Runs work on a connection that does not reconnect.
 * @throws the first error of the connection, which says more than that of the command
 */
export async function withRedis<Result>(
  url: string,
  work: (redis: Redis) => Promise<Result>,
): Promise<Result> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    connectTimeout: STEP_DEADLINE_MS,
    commandTimeout: STEP_DEADLINE_MS,
    disconnectTimeout: 200,
  });
  let first: unknown;
  redis.on('error', (error: unknown) => (first ??= error));
  try {
    await redis.connect();
    return await work(redis);
  } catch (error) {
    throw first ?? error;
  } finally {
    redis.disconnect();
  }
}

async function policyFaults(redis: Redis): Promise<Finding[]> {
  try {
    if (await assertNoEviction(redis)) return [];
    return [note('this Redis hides its maxmemory-policy, which must be noeviction')];
  } catch (error) {
    const policy = /maxmemory-policy (\S+);/.exec(messageOf(error))?.[1];
    if (policy === undefined) throw error;
    return [
      fault(
        `Redis may delete queued jobs: its maxmemory-policy is ${policy}`,
        'Set "maxmemory-policy noeviction" in redis.conf; now: redis-cli CONFIG SET maxmemory-policy noeviction',
      ),
    ];
  }
}

async function memoryWarnings(redis: Redis): Promise<Finding[]> {
  const info = await redis.info('memory').catch(() => '');
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
async function writeFault(redis: Redis, key: string): Promise<Finding | null> {
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

function connectionFault(error: unknown, url: string): Finding {
  const place = placeOf(url, PORT);
  const message = messageOf(error);
  if (/names a Sentinel/.test(message))
    return fault(
      `REDIS_URL at ${place} names a Sentinel, which holds no data`,
      'Set REDIS_URL to the primary that the Sentinel watches, or to a proxy that leads to it',
    );
  if (/WRONGPASS|NOAUTH|invalid password|without any password/.test(message))
    return fault(
      `REDIS_URL at ${place}: Redis rejects the login`,
      'Correct user and password in REDIS_URL: redis://user:password@host:port (the default user has no name)',
    );
  const plain = new URL(url).protocol === 'redis:';
  if (/Connection is closed|ECONNRESET/.test(message))
    return fault(
      `REDIS_URL at ${place}: Redis closed the connection`,
      plain
        ? 'If this port uses TLS, begin REDIS_URL with rediss://'
        : 'Check that this port uses TLS, and whether it requires a client certificate (tls-auth-clients no)',
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
