import { type OneServer, placeOfHost, type RedisHost } from '../config/redis-url.js';
import { expectedCause } from '../start/causes.js';
import { RedisFault } from './refusals.js';

/** The servers behind REDIS_URL. */
export interface Layout {
  /** They hold the keys. */
  primaries: readonly OneServer[];
  /** They may become primaries. */
  replicas: readonly OneServer[];
  /** What does not work although Redis as a whole does: one sentence each. */
  warnings: readonly string[];
}

/** What each of several hosts has answered, and why the others have not. */
export interface Answers<Answer> {
  answers: readonly Answer[];
  silent: readonly { host: RedisHost; error: unknown }[];
}

/** Asks all in parallel. */
export async function askAll<Answer>(
  hosts: readonly RedisHost[],
  ask: (host: RedisHost) => Promise<Answer>,
): Promise<Answers<Answer>> {
  const answers: Answer[] = [];
  const silent: { host: RedisHost; error: unknown }[] = [];
  await Promise.all(
    hosts.map((host) =>
      ask(host).then(
        (answer) => void answers.push(answer),
        (error: unknown) => void silent.push({ host, error }),
      ),
    ),
  );
  return { answers, silent };
}

/** `the Sentinel 127.0.0.1:26379 does not answer: no program listens there (connection refused)` */
export function silenceOf(what: string, { host, error }: { host: RedisHost; error: unknown }): string {
  if (error instanceof RedisFault) return error.message;
  return `${what} ${placeOfHost(host)} does not answer: ${reasonOf(error)}`;
}

/**
 * The error if none has answered.
 * @param what `Sentinel`
 */
export function nobodyAnswers(what: string, { silent }: Answers<unknown>): Error {
  const fault = silent.find(({ error }) => error instanceof RedisFault)?.error;
  if (fault instanceof RedisFault) return fault;
  const reasons = silent.map(({ host, error }) => `${placeOfHost(host)}: ${reasonOf(error)}`);
  return new Error(`no ${what} answers (${reasons.join('; ')})`);
}

function reasonOf(error: unknown): string {
  return expectedCause(error)?.reason ?? (error instanceof Error ? error.message : String(error));
}

/** A reply's list of texts; empty for anything else. */
export function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map((item) => String(item)) : [];
}

/** A reply's lists; empty for anything else. */
export function listsOf(reply: unknown): unknown[][] {
  return Array.isArray(reply) ? reply.filter((item): item is unknown[] => Array.isArray(item)) : [];
}
