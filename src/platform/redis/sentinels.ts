import type { Redis } from 'ioredis';
import { placeOfHost, type RedisHost, type SentinelTarget } from '../config/redis-url.js';
import { askAll, type Layout, listsOf, nobodyAnswers, silenceOf, textsOf } from './asking.js';
import { serverAt, withServer } from './once.js';
import { isRefusedLogin, RedisFault } from './refusals.js';

/** What one Sentinel knows. */
interface SentinelAnswer {
  host: RedisHost;
  /** Null: it watches no primary of this name. */
  primary: RedisHost | null;
  replicas: readonly RedisHost[];
  /** The names of all primaries that it watches. */
  names: readonly string[];
}

/**
 * Asks every Sentinel in REDIS_URL for the primary and its replicas.
 * https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-api
 * @throws RedisFault if none knows the name, refuses the login, or is no Sentinel; Error if none answers.
 */
export async function askSentinels(target: SentinelTarget, timeoutMs: number): Promise<Layout> {
  const asked = await askAll(target.hosts, (host) => askSentinel(target, host, timeoutMs));
  const [first] = asked.answers;
  if (first === undefined) throw nobodyAnswers('Sentinel', asked);
  const knowing = asked.answers.find(({ primary }) => primary !== null);
  if (knowing === undefined || knowing.primary === null)
    throw new RedisFault(ignoranceOf(first, target.name));
  return {
    primaries: [serverAt(target, knowing.primary, target.db)],
    replicas: knowing.replicas.map((host) => serverAt(target, host, target.db)),
    warnings: [
      ...asked.silent.map((silent) => silenceOf('the Sentinel', silent)),
      ...asked.answers
        .filter(({ primary }) => primary === null)
        .map((answer) => `${placeOfHost(answer.host)}: ${ignoranceOf(answer, target.name)}`),
    ],
  };
}

function ignoranceOf({ names }: SentinelAnswer, name: string): string {
  const known = names.length === 0 ? 'it knows none' : `it knows: ${names.join(', ')}`;
  return `Sentinel knows no master named ${name}; ${known}`;
}

async function askSentinel(
  target: SentinelTarget,
  host: RedisHost,
  timeoutMs: number,
): Promise<SentinelAnswer> {
  const sentinel = serverAt({ login: target.sentinelLogin, encrypted: target.encrypted }, host);
  try {
    return await withServer(sentinel, timeoutMs, async (redis) => {
      const [ip, port] = textsOf(await redis.call('SENTINEL', 'get-master-addr-by-name', target.name));
      if (ip === undefined) return { host, primary: null, replicas: [], names: await primaryNames(redis) };
      const replicas = await redis.call('SENTINEL', 'replicas', target.name);
      return {
        host,
        primary: { host: ip, port: Number(port) },
        replicas: listsOf(replicas).map(fieldsOf).map(addressOf),
        names: [target.name],
      };
    });
  } catch (error) {
    throw explained(error, host);
  }
}

/** The primaries that a Sentinel watches. */
export async function primaryNames(sentinel: Redis): Promise<string[]> {
  const primaries = listsOf(await sentinel.call('SENTINEL', 'masters'));
  return primaries.map((primary) => fieldsOf(primary).get('name') ?? '');
}

/** A list of names and values in turn. */
function fieldsOf(list: readonly unknown[]): Map<string, string> {
  const texts = textsOf(list);
  return new Map(texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1] ?? ''] as const] : [])));
}

function addressOf(fields: ReadonlyMap<string, string>): RedisHost {
  return { host: fields.get('ip') ?? '', port: Number(fields.get('port')) };
}

function explained(error: unknown, host: RedisHost): unknown {
  const place = placeOfHost(host);
  if (isRefusedLogin(error))
    return new RedisFault(
      `the Sentinel at ${place} rejects the login (${error.message})`,
      'check sentinel_username and sentinel_password in REDIS_URL',
      { cause: error },
    );
  if (error instanceof Error && /unknown command/i.test(error.message))
    return new RedisFault(
      `${place} is not a Sentinel`,
      'name the Sentinels (their port is usually 26379), or begin REDIS_URL with redis:// to name one Redis',
      { cause: error },
    );
  return error;
}
