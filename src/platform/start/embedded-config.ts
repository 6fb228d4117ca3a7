import { type Config, hasExternalDatabase } from '../config/config.js';
import { assertNotDemoFolder } from '../embedded/demo-marker.js';
import { type Embedded, embeddedSecret, startEmbedded } from '../embedded/embedded.js';

/**
 * Starts the services that the configuration does not name.
 * @param ofDemo whether the demo starts this process, on its own folder.
 * @returns the configuration with their addresses, and the services.
 */
export async function withEmbedded(
  config: Config,
  ofDemo: boolean,
  log: (line: string) => void,
): Promise<[Config, Embedded]> {
  const postgres = !hasExternalDatabase(config);
  if (postgres && !ofDemo) assertNotDemoFolder(config.dataDir);
  const embedded = await startEmbedded({
    data_dir: config.dataDir,
    postgres,
    redis: config.redisUrl === null,
    log,
  });
  const source = { kind: 'embedded', name: null } as const;
  const { database, redis_url } = embedded;
  return [
    {
      ...config,
      sources: {
        ...config.sources,
        ...(database === undefined
          ? {}
          : { databaseUrl: source, databaseAppUrl: source, databaseSystemUrl: source }),
        ...(redis_url === undefined ? {} : { redisUrl: source }),
        ...(config.jwtSecret === null ? { jwtSecret: source } : {}),
      },
      databaseUrl: database?.owner_url ?? config.databaseUrl,
      databaseAppUrl: database?.app_url ?? config.databaseAppUrl,
      databaseSystemUrl: database?.system_url ?? config.databaseSystemUrl,
      redisUrl: redis_url ?? config.redisUrl,
      jwtSecret: config.jwtSecret ?? (await embeddedSecret(config.dataDir, 'jwt_secret')),
    },
    embedded,
  ];
}
