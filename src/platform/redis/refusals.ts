/** A Redis that answers but accepts no work. The message is for operators: it contains no keys and no content. */
export class RedisRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisRefusal';
  }
}

/** How Redis' messages start: a script's error has its text around the code. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/\bREADONLY\b/, 'Redis is read only: REDIS_URL names a replica'],
  [/\bOOM\b/, 'Redis is out of memory: raise its maxmemory'],
  [/\bMISCONF\b/, 'Redis refuses writes because it cannot save its snapshot: check its disk and its log'],
  [/\bNOREPLICAS\b/, 'Redis refuses writes because too few of its replicas answer (min-replicas-to-write)'],
  [/\bLOADING\b/, 'Redis is still loading its data'],
  [/\bMASTERDOWN\b/, 'Redis is a replica that has lost its primary'],
  [/\bNOPERM\b/, 'Redis does not allow the user of REDIS_URL to write'],
  [
    /\bMOVED\b/,
    'REDIS_URL names one node of a Redis Cluster, which does not hold all keys: begin it with redis+cluster://',
  ],
  [
    /\bCLUSTERDOWN\b/,
    'the Redis Cluster is down: no node serves some of its slots (see redis-cli CLUSTER NODES)',
  ],
  [
    /unknown command/i,
    'REDIS_URL names a server without SET, such as a Sentinel: it must name the Redis that holds the data',
  ],
];

/**
 * Why a Redis that answers refuses a write, in words; null for any other failure.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
export function refusalOf(error: unknown): string | null {
  if (error instanceof RedisRefusal) return error.message;
  if (!(error instanceof Error)) return null;
  return REFUSALS.find(([code]) => code.test(error.message))?.[1] ?? null;
}

/** Whether the server has become a replica: after a failover the same name leads to another server. */
export function isReadOnly(error: Error): boolean {
  return /\bREADONLY\b/.test(error.message);
}

/**
 * A Redis that has to be configured differently, here or there: waiting does not help. The message is for operators, and
 * contains no password.
 */
export class RedisFault extends Error {
  constructor(
    /** What is wrong. */
    readonly sentence: string,
    /** What to do; null if the sentence says it. */
    readonly remedy: string | null = null,
    options?: ErrorOptions,
  ) {
    super(remedy === null ? sentence : `${sentence}: ${remedy}`, options);
    this.name = 'RedisFault';
  }
}

export const LOGIN_HINT = 'check the user and password in REDIS_URL';

/** https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
export function isRefusedLogin(error: unknown): error is Error {
  return error instanceof Error && /\b(WRONGPASS|NOAUTH)\b|invalid password/.test(error.message);
}

/** For operators: Redis' message has no password. */
export function refusedLogin(error: Error): RedisFault {
  return new RedisFault(`Redis rejects the login (${error.message})`, LOGIN_HINT, { cause: error });
}
