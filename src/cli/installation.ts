import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { Outbox } from '../delivery/outbox.js';
import { SystemClock } from '../platform/clock/clock.js';
import { type Config, hasExternalDatabase, readConfig } from '../platform/config/config.js';
import { runningServices } from '../platform/embedded/running.js';
import { JsonLogger } from '../platform/logging/logger.js';
import { reachDatabase, reachRedis } from '../platform/start/steps.js';
import { TenantDirectory, type TenantEntry } from '../tenants/tenant-directory.js';
import { sentenceOf } from './audited.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Runs work with the services of the configured installation, beside its processes: without jobs, a schedule or a
 * server.
 * @param options `mail`: the work sends mails, so that wrong e-mail settings are errors.
 * @throws StartError if PostgreSQL or Redis cannot be reached.
 */
export async function withInstallation<Result>(
  environment: Environment,
  work: (app: INestApplicationContext) => Promise<Result>,
  { mail = false }: { mail?: boolean } = {},
): Promise<Result> {
  const config = await reachable(readConfig(environment, { mail }));
  await reachDatabase(config);
  await reachRedis(config);
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config, new SystemClock()), {
    logger: new JsonLogger('error'),
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

/** Like `withInstallation`, but turns a Problem of a service into an error with a readable message. */
export async function withReadableErrors<Result>(
  environment: Environment,
  work: (app: INestApplicationContext) => Promise<Result>,
  options: { mail?: boolean } = {},
): Promise<Result> {
  try {
    return await withInstallation(environment, work, options);
  } catch (error) {
    throw sentenceOf(error);
  }
}

/** @throws Error in plain words if there is none with this slug. */
export async function tenantOf(app: INestApplicationContext, slug: string): Promise<TenantEntry> {
  const tenant = await app.get(TenantDirectory, { strict: false }).bySlug(slug);
  if (tenant === null) throw new Error(`there is no tenant ${slug}`);
  return tenant;
}

/** Whether e-mail is configured: else a person must hand over a one-time link. */
export function sendsMails(app: INestApplicationContext): boolean {
  return app.get(Outbox, { strict: false }).channels.includes('email');
}

/** Without a configured URL, uses the services that a running server has started. */
async function reachable(config: Config): Promise<Config> {
  const nothing = { roles: [], operatorEmail: null, operatorPassword: null };
  const external = hasExternalDatabase(config);
  if (external && config.redisUrl !== null) return { ...config, ...nothing };
  const { database, redis_url, jwt_secret } = await runningServices(config.dataDir);
  return {
    ...config,
    ...nothing,
    ...(external
      ? {}
      : {
          databaseUrl: database.owner_url,
          databaseAppUrl: database.app_url,
          databaseSystemUrl: database.system_url,
        }),
    redisUrl: config.redisUrl ?? redis_url,
    jwtSecret: config.jwtSecret ?? jwt_secret,
  };
}
