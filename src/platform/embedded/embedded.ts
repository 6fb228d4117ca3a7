import { join, resolve } from 'node:path';
import { acquireLock, LockHeldError } from './lock.js';
import type { EmbeddedUrls } from './logins.js';
import { recallPorts, rememberPorts } from './ports.js';
import { startPostgres } from './postgres.js';
import { findRedis, startRedis } from './redis.js';
import { embeddedSecrets, ensureDataDir } from './secrets.js';
import { Watchdog } from './watchdog.js';

export type { EmbeddedUrls } from './logins.js';
export { embeddedSecret } from './secrets.js';

/** What to start, and where its files live. */
export interface EmbeddedOptions {
  data_dir: string;
  postgres: boolean;
  redis: boolean;
  /** Told what is going on, a line at a time. */
  log: (line: string) => void;
  /** Connections PostgreSQL takes at once; 200 by default. */
  max_connections?: number;
}

/** The services that run beside this process. */
export interface Embedded {
  database?: EmbeddedUrls;
  redis_url?: string;
  /** Ends them and frees the data directory. Calling it again waits for the same end. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL and Redis on 127.0.0.1, on the ports of the last start where these are free, and returns
 * when they can be used. They are in process groups of their own, and end with stop() or, should this process
 * vanish, by a watchdog. What an earlier, killed run has left is cleared first.
 * @throws Error naming the data directory when another process uses it, and what is missing on the machine
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const data_dir = resolve(options.data_dir);
  const redis_file = options.redis ? await findRedis() : undefined;
  if (!options.postgres && redis_file === undefined) return { stop: () => Promise.resolve() };
  await ensureDataDir(data_dir);
  const release = await lock(data_dir);
  const watchdog = new Watchdog();
  try {
    return await startServices({ ...options, data_dir }, redis_file, watchdog, release);
  } catch (error) {
    watchdog.dismiss();
    await release();
    throw error;
  }
}

async function startServices(
  options: EmbeddedOptions,
  redis_file: string | undefined,
  watchdog: Watchdog,
  release: () => Promise<void>,
): Promise<Embedded> {
  const { data_dir, log } = options;
  const ports = await recallPorts(data_dir);
  const secrets = await embeddedSecrets(data_dir, [
    'postgres_password',
    'vigie_app_password',
    'vigie_system_password',
    'redis_password',
  ]);
  const passwords = {
    owner: secrets.postgres_password,
    app: secrets.vigie_app_password,
    system: secrets.vigie_system_password,
  };
  const { max_connections = 200 } = options;
  const [postgres, redis] = await bothOrNeither(
    options.postgres
      ? startPostgres({ data_dir, port: ports.postgres, passwords, max_connections, watchdog, log })
      : undefined,
    redis_file === undefined
      ? undefined
      : startRedis({
          data_dir,
          file: redis_file,
          port: ports.redis,
          password: secrets.redis_password,
          watchdog,
          log,
        }),
  );
  const now = { postgres: postgres?.port ?? ports.postgres, redis: redis?.port ?? ports.redis };
  if (now.postgres !== ports.postgres || now.redis !== ports.redis) await rememberPorts(data_dir, now);

  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    const results = await Promise.allSettled([postgres?.stop(), redis?.stop()]);
    const failed = results.find((result) => result.status === 'rejected');
    // One that does not end is left to the watchdog, and the directory stays locked.
    if (failed !== undefined) throw failed.reason;
    watchdog.dismiss();
    await release();
    log('Embedded services stopped');
  };
  return { database: postgres?.urls, redis_url: redis?.url, stop: () => (ending ??= end()) };
}

/** Waits for both; when one fails, the other is stopped again. */
async function bothOrNeither<A extends Stoppable, B extends Stoppable>(
  first: Promise<A> | undefined,
  second: Promise<B> | undefined,
): Promise<[A | undefined, B | undefined]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  if (a.status === 'fulfilled') await a.value?.stop();
  if (b.status === 'fulfilled') await b.value?.stop();
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason;
}

interface Stoppable {
  stop(): Promise<void>;
}

async function lock(data_dir: string): Promise<() => Promise<void>> {
  try {
    return await acquireLock(join(data_dir, 'vigie.lock'));
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    throw new Error(`the data directory ${data_dir} is in use by ${error.holder}`, { cause: error });
  }
}
