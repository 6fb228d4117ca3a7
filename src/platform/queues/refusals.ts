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
    /\b(MOVED|CLUSTERDOWN)\b/,
    'Redis is a node of a cluster that does not hold the keys of REDIS_PREFIX: Vigie does not support clusters',
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
