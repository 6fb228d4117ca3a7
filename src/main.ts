import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.js';
import { type Config, ConfigurationError, readConfig } from './platform/config/config.js';
import { migrate } from './platform/database/migrate.js';
import { DatabaseNotPrepared, rolesToTakeOn } from './platform/database/preparation.js';
import { type Embedded, embeddedSecret, startEmbedded } from './platform/embedded/embedded.js';
import { JsonLogger } from './platform/logging/logger.js';
import { BackgroundWork } from './platform/queues/background-work.js';

/**
 * How much of its heap V8 lets a worker add before it collects garbage, in percent. Its own rule is up to 300: what
 * waits for PostgreSQL or a mail server outlives the young generation, and a worker held 80 MB of it. Measured by P1.
 */
const WORKER_HEAP_GROWTH = 60;
/** A stopping process exits after this long, whatever it is doing. */
const STOP_DEADLINE_MS = 20_000;

/** Starts what no URL names, and fills in where it is. */
async function withEmbedded(config: Config, log: JsonLogger): Promise<[Config, Embedded]> {
  const embedded = await startEmbedded({
    data_dir: config.dataDir,
    postgres: config.databaseUrl === null,
    redis: config.redisUrl === null,
    log: (line) => log.log(line, 'Embedded'),
  });
  const embeddedSource = { kind: 'embedded', name: null } as const;
  return [
    {
      ...config,
      sources: {
        ...config.sources,
        ...(embedded.database === undefined
          ? {}
          : {
              databaseUrl: embeddedSource,
              databaseAppUrl: embeddedSource,
              databaseSystemUrl: embeddedSource,
            }),
        ...(embedded.redis_url === undefined ? {} : { redisUrl: embeddedSource }),
        ...(config.jwtSecret === null ? { jwtSecret: embeddedSource } : {}),
      },
      databaseUrl: embedded.database?.owner_url ?? config.databaseUrl,
      databaseAppUrl: embedded.database?.app_url ?? config.databaseAppUrl,
      databaseSystemUrl: embedded.database?.system_url ?? config.databaseSystemUrl,
      redisUrl: embedded.redis_url ?? config.redisUrl,
      jwtSecret: config.jwtSecret ?? (await embeddedSecret(config.dataDir, 'jwt_secret')),
    },
    embedded,
  ];
}

/** Drains on the first SIGTERM or SIGINT and ends with 0; with 1 when that takes too long, or on a second Ctrl-C. */
function stopOnSignal(stop: () => Promise<void>, log: JsonLogger): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) {
      if (signal === 'SIGINT') process.exit(1);
      return;
    }
    stopping = true;
    log.log({ event: 'stopping', signal }, 'Vigie');
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ event: 'stop_failed', err: error }, 'Vigie');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  // The parent that started this process with a channel to it (the demo does) has exited: stop too.
  process.once('disconnect', () => onSignal('SIGTERM'));
  process.on('SIGINT', onSignal);
}

async function main(): Promise<void> {
  const written = readConfig(process.env);
  if (written.roles.includes('worker')) setFlagsFromString(`--heap-growing-percent=${WORKER_HEAP_GROWTH}`);
  const log = new JsonLogger(written.logLevel);
  const [config, embedded] = await withEmbedded(written, log);
  let app: NestFastifyApplication | undefined;
  try {
    const migrations = await migrate(config.databaseUrl ?? '', rolesToTakeOn(config));
    if (migrations.length > 0) log.log({ event: 'migrated', migrations }, 'Database');
    const started = (app = await createApp(config));
    stopOnSignal(async () => {
      // Also where the application fails to close.
      await started.close().finally(() => embedded.stop());
    }, log);
    await app.listen(config.port, config.host);
    await app.get(BackgroundWork).begin();
    log.log({ event: 'started', url: await app.getUrl(), roles: config.roles }, 'Vigie');
  } catch (error) {
    // What has begun to work ends before PostgreSQL and Redis do.
    await app?.close().catch(() => undefined);
    await embedded.stop();
    throw error;
  }
}

main().catch((error: unknown) => {
  if (error instanceof ConfigurationError || error instanceof DatabaseNotPrepared)
    process.stderr.write(`${error.message}\n`);
  else new JsonLogger('error').error({ event: 'start_failed', err: error }, 'Vigie');
  // Connections that keep trying would keep the process: one that has not started must end, to be started again.
  process.exit(1);
});
