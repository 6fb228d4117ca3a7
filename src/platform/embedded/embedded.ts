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
  /** Receives progress, one line at a time. */
  log: (line: string) => void;
  /** Maximum connections of PostgreSQL; 200 by default. */
  max_connections?: number;
  /** True by default. False, for tests: PostgreSQL does not wait for the disk (`fsync = off`). */
  durable?: boolean;
}

/** The services that run beside this process. */
export interface Embedded {
  database?: EmbeddedUrls;
  redis_url?: string;
  /** Stops the services and frees the data directory. Further calls wait for the same stop. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL and Redis on 127.0.0.1, on the ports of the last start where free, and returns when they are ready.
 * They run in separate process groups, and end with stop() or, if this process vanishes, by a watchdog. Leftovers of an
 * earlier, killed run are cleared first.
 * @throws Error naming the data directory when another process uses it, or what is missing on the machine
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const data_dir = resolve(options.data_dir);
  const redis_file = options.redis ? await findRedis() : undefined;
  if (!options.postgres && redis_file === undefined) return { stop: () => Promise.resolve() };
  await ensureDataDir(data_dir);
  const release = await lock(data_dir);
  const services: Stoppable[] = [];
  let watchdog: Watchdog | undefined;
  const stop = async (): Promise<void> => {
    const failed = await stopAll(services);
    // A service that does not end is left to the watchdog, and the directory stays locked.
    if ((await watchdog?.dismiss()) !== false) await release();
    if (failed !== undefined) throw failed.error;
  };
  try {
    watchdog = await Watchdog.start(options.log);
    const urls = await startServices({ ...options, data_dir }, redis_file, watchdog, services);
    let ending: Promise<void> | undefined;
    const end = () => stop().then(() => options.log('Embedded services stopped'));
    return { ...urls, stop: () => (ending ??= end()) };
  } catch (error) {
    await stop().catch((failure: unknown) => options.log(String(failure)));
    throw error;
  }
}

/** Adds each started service to `services`, even when it fails later. */
async function startServices(
  options: EmbeddedOptions,
  redis_file: string | undefined,
  watchdog: Watchdog,
  services: Stoppable[],
): Promise<Omit<Embedded, 'stop'>> {
  const { data_dir, log, max_connections = 200, durable = true } = options;
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
  const [postgres, redis] = await Promise.allSettled([
    options.postgres
      ? startPostgres({ data_dir, port: ports.postgres, passwords, max_connections, durable, watchdog, log })
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
  ]);
  for (const service of [postgres, redis]) {
    if (service.status === 'fulfilled' && service.value !== undefined) services.push(service.value);
  }
  if (postgres.status === 'rejected') throw postgres.reason;
  if (redis.status === 'rejected') throw redis.reason;
  const now = {
    postgres: postgres.value?.port ?? ports.postgres,
    redis: redis.value?.port ?? ports.redis,
  };
  if (now.postgres !== ports.postgres || now.redis !== ports.redis) await rememberPorts(data_dir, now);
  return { database: postgres.value?.urls, redis_url: redis.value?.url };
}

/** Stops all of them, even if one does not end; returns the first error. */
async function stopAll(services: readonly Stoppable[]): Promise<{ error: unknown } | undefined> {
  const results = await Promise.allSettled(services.map((service) => service.stop()));
  const failed = results.find((result) => result.status === 'rejected');
  return failed === undefined ? undefined : { error: failed.reason };
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
