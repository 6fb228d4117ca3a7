import { createApp } from './app.js';
import { type Config, ConfigurationError, readConfig } from './platform/config/config.js';
import { migrate } from './platform/database/migrate.js';
import { type Embedded, embeddedSecret, startEmbedded } from './platform/embedded/embedded.js';
import { JsonLogger } from './platform/logging/logger.js';

/** Starts what no URL names, and fills in where it is. */
async function withEmbedded(config: Config, log: JsonLogger): Promise<[Config, Embedded]> {
  const embedded = await startEmbedded({
    data_dir: config.dataDir,
    postgres: config.databaseUrl === null,
    redis: config.redisUrl === null,
    log: (line) => log.log(line, 'Embedded'),
  });
  return [
    {
      ...config,
      databaseUrl: embedded.database?.owner_url ?? config.databaseUrl,
      databaseAppUrl: embedded.database?.app_url ?? config.databaseAppUrl,
      databaseSystemUrl: embedded.database?.system_url ?? config.databaseSystemUrl,
      redisUrl: embedded.redis_url ?? config.redisUrl,
      jwtSecret: config.jwtSecret ?? (await embeddedSecret(config.dataDir, 'jwt_secret')),
    },
    embedded,
  ];
}

async function main(): Promise<void> {
  const written = readConfig(process.env);
  const log = new JsonLogger(written.logLevel);
  const [config, embedded] = await withEmbedded(written, log);
  try {
    const migrations = await migrate(config.databaseUrl ?? '');
    if (migrations.length > 0) log.log({ event: 'migrated', migrations }, 'Database');
    const app = await createApp(config);
    // Last of all, when nothing uses them any more.
    app.flushLogs();
    const close = app.close.bind(app);
    app.close = async (signal?: string) => {
      await close(signal);
      await embedded.stop();
    };
    await app.listen(config.port, config.host);
    log.log({ event: 'started', url: await app.getUrl(), roles: config.roles }, 'Vigie');
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

main().catch((error: unknown) => {
  if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
  else new JsonLogger('error').error({ event: 'start_failed', err: error }, 'Vigie');
  process.exitCode = 1;
});
