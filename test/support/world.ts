import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { createApp } from '../../src/app.js';
import { describeApi } from '../../src/docs.js';
import type { Clock } from '../../src/platform/clock/clock.js';
import { type Config, readConfig } from '../../src/platform/config/config.js';
import { BackgroundWork } from '../../src/platform/queues/background-work.js';
import { createDatabase, environmentFor, type TestDatabase } from './database.js';
import { testLogger } from './test-logger.js';

export { createDatabase, environmentFor, mailEnvironment, type TestDatabase } from './database.js';

/** A new installation: its own database (cloned from the migrated template) and its own part of Redis. */
export interface World {
  app: NestFastifyApplication;
  config: Config;
  /** Runs SQL as the owner, bypassing row-level security: for set-up and checks. */
  sql<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Sends a request to the application, without a socket. Fails if the response does not match /openapi.json. */
  http(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  /** The body as text, byte for byte. */
  text: string;
  // Tests read what the API says it sends; they check it by reading it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

/**
 * Starts an application in this process. By default it has only the web role, so that nothing runs that a test does not
 * ask for. `env` takes the variables of docs/configuration.md. With `join` it is another process of that world's
 * installation, to be closed before it. `database` is one that the test has created and migrated.
 */
export async function createWorld(
  options: { env?: Record<string, string>; clock?: Clock; join?: World; database?: TestDatabase } = {},
): Promise<World> {
  const { join } = options;
  const database =
    options.database ?? (join === undefined ? await createDatabase() : databaseOf(join.config));
  const config = readConfig({
    ...(join === undefined ? environmentFor(database) : environmentOf(join)),
    VIGIE_ROLES: 'web',
    SCHEDULER_ENABLED: 'false',
    ...options.env,
  });
  const owner = new pg.Pool({ connectionString: database.owner_url, max: 3 });
  // The database is dropped while it has idle connections.
  owner.on('error', () => undefined);
  const app = await createApp(config, options.clock, testLogger(config.logLevel));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  await app.get(BackgroundWork).begin();
  return {
    app,
    config,
    sql: async (text, values) => (await owner.query(text, values)).rows as never,
    http: async (method, path, { token, body, headers } = {}) => {
      const response = await app.inject({
        method: method as 'GET',
        url: path,
        headers: {
          // The same in each, because some responses are compared byte for byte.
          'x-request-id': 'test',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      checkAgainstApi(
        {
          method,
          path,
          status: response.statusCode,
          content_type: response.headers['content-type']?.toString() ?? '',
          text: response.body,
        },
        () => JSON.stringify(describeApi(app)),
      );
      const json = /\bjson\b/.test(response.headers['content-type']?.toString() ?? '');
      return {
        status: response.statusCode,
        headers: response.headers,
        text: response.body,
        body: json && response.body !== '' ? (JSON.parse(response.body) as unknown) : null,
      };
    },
    close: async () => {
      await app.close();
      await owner.end();
      // The test drops a database that it has created.
      if (options.database === undefined) await database.drop();
    },
  };
}

/** The environment of another process of this installation, such as a command. */
export function environmentOf({ config }: World): Record<string, string> {
  return { ...environmentFor(databaseOf(config)), REDIS_PREFIX: config.redisPrefix };
}

/** The database of another world, which drops it. */
function databaseOf({ databaseUrl, databaseAppUrl, databaseSystemUrl }: Config): TestDatabase {
  return {
    owner_url: databaseUrl ?? '',
    app_url: databaseAppUrl ?? '',
    system_url: databaseSystemUrl ?? '',
    drop: () => Promise.resolve(),
  };
}
