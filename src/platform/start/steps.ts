import type { Config } from '../config/config.js';
import { checkPostgres } from '../database/database.module.js';
import { migrate } from '../database/migrate.js';
import { rolesToTakeOn } from '../database/preparation.js';
import { assertMigrated, reachPostgres } from '../database/reach.js';
import { parseRedisUrl, placeOfRedis } from '../config/redis-url.js';
import { checkRedis } from '../redis/check.js';
import { placeOf, type StartStep } from './start-error.js';
import { startStep } from './start-step.js';

const POSTGRES_PORT = 5_432;

/** Deadlines of the steps, in ms. Each is longer than the timeouts inside the step, whose errors say more. */
export const DEADLINES = {
  /** The first start creates a database; one after a crash replays a log. */
  embedded: 5 * 60_000,
  postgres: 15_000,
  /** Long migrations of large tables, and waiting for another migrating process. */
  migrations: 2 * 60 * 60_000,
  redis: 15_000,
  application: 60_000,
  listen: 15_000,
  work: 60_000,
} as const;

/** Receives log lines while the start waits. */
export type OnWait = (line: string) => void;

/**
 * Signs in to PostgreSQL with each configured login.
 * @throws StartError
 */
export async function reachDatabase(config: Config): Promise<void> {
  const logins = [
    ['DATABASE_URL', config.databaseUrl],
    ['DATABASE_APP_URL', config.databaseAppUrl],
    ['DATABASE_SYSTEM_URL', config.databaseSystemUrl],
  ] as const;
  for (const [name, url] of logins) {
    if (url !== null) await startStep(postgresStep(name, url), DEADLINES.postgres, () => reachPostgres(url));
  }
}

/**
 * Migrates the schema if the owner's login is known; otherwise checks that it is up to date.
 * @returns the migrations that ran.
 * @throws StartError
 */
export async function prepareSchema(config: Config, onWait: OnWait): Promise<string[]> {
  const owner = config.databaseUrl;
  const system = config.databaseSystemUrl ?? '';
  const step: StartStep = {
    step: 'migrations',
    where: placeOf(owner ?? system, POSTGRES_PORT),
    hint: 'See docs/operations.md, "Upgrade"',
  };
  return startStep(step, DEADLINES.migrations, async () => {
    if (owner !== null)
      return migrate(owner, {
        takenOn: rolesToTakeOn(config),
        onWait: (holder) => onWait(`Waiting for another process to finish migrating: ${holder}`),
      });
    await assertMigrated(system);
    return [];
  });
}

/**
 * Signs in as each pool; their roles exist once the schema does.
 * @throws StartError
 */
export async function reachPools(config: Config): Promise<void> {
  const url = config.databaseSystemUrl ?? config.databaseUrl ?? '';
  await startStep(postgresStep('the database URLs', url), DEADLINES.postgres, () => checkPostgres(config));
}

function postgresStep(name: string, url: string): StartStep {
  return {
    step: 'postgresql',
    where: placeOf(url, POSTGRES_PORT),
    hint: `Check ${name}, and that PostgreSQL is running and reachable from here`,
  };
}

/** @throws StartError */
export async function reachRedis(config: Config): Promise<void> {
  const step: StartStep = {
    step: 'redis',
    where: placeOfRedis(parseRedisUrl(config.redisUrl ?? '')),
    hint: 'Check REDIS_URL, and that Redis is running and reachable from here',
  };
  await startStep(step, DEADLINES.redis, () => checkRedis(config));
}

export const EMBEDDED_STEP: StartStep = {
  step: 'embedded services',
  where: null,
  hint: 'See the last lines of postgres.log and redis.log in VIGIE_DATA_DIR',
};

export const APPLICATION_STEP: StartStep = {
  step: 'application',
  where: null,
  hint: 'Set LOG_LEVEL=debug to see how far it gets',
};

export const WORK_STEP: StartStep = { ...APPLICATION_STEP, step: 'background work' };

export function listenStep({ host, port }: Config): StartStep {
  return {
    step: 'listen',
    where: `${host}:${port}`,
    hint: 'Check HOST and PORT, and whether another program listens there',
  };
}
