import { randomBytes, randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { createApp } from '../../src/app.js';
import type { Clock } from '../../src/platform/clock/clock.js';
import { type Config, readConfig } from '../../src/platform/config/config.js';

/** A fresh installation: its own database (cloned from the migrated template), its own corner of Redis. */
export interface World {
  app: NestFastifyApplication;
  config: Config;
  /** Runs SQL as the owner, past row-level security: for arranging and for looking. */
  sql<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A request to the application, without a socket. */
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

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: run this by Jest, whose global set-up starts PostgreSQL and Redis`);
  return value;
}

export interface TestDatabase {
  owner_url: string;
  app_url: string;
  system_url: string;
  drop(): Promise<void>;
}

/** Clones the migrated template. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: required('TEST_OWNER_URL') });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name} TEMPLATE vigie_template`);
  } finally {
    await admin.end();
  }
  const inDatabase = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  return {
    owner_url: inDatabase(required('TEST_OWNER_URL')),
    app_url: inDatabase(required('TEST_APP_URL')),
    system_url: inDatabase(required('TEST_SYSTEM_URL')),
    drop: async () => {
      const dropping = new pg.Client({ connectionString: required('TEST_OWNER_URL') });
      await dropping.connect();
      await dropping.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await dropping.end();
    },
  };
}

/** The environment of a server on this database, as a child process or in this one. */
export function environmentFor(database: TestDatabase): Record<string, string> {
  return {
    DATABASE_URL: database.owner_url,
    DATABASE_APP_URL: database.app_url,
    DATABASE_SYSTEM_URL: database.system_url,
    REDIS_URL: required('TEST_REDIS_URL'),
    REDIS_PREFIX: `test-${randomBytes(6).toString('hex')}`,
    JWT_SECRET: 'a secret that only the tests know, 32+',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'error',
    PORT: '0',
    HOST: '127.0.0.1',
  };
}

/**
 * Starts an application in this process. By default it has the web role only: what a test does not ask for
 * does not run behind its back. `env` takes the variables of docs/configuration.md.
 */
export async function createWorld(
  options: { env?: Record<string, string>; clock?: Clock } = {},
): Promise<World> {
  const database = await createDatabase();
  const config = readConfig({
    ...environmentFor(database),
    VIGIE_ROLES: 'web',
    SCHEDULER_ENABLED: 'false',
    ...options.env,
  });
  const owner = new pg.Pool({ connectionString: database.owner_url, max: 3 });
  // The database is dropped under its idle connections at the end.
  owner.on('error', () => undefined);
  const app = await createApp(config, options.clock);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return {
    app,
    config,
    sql: async (text, values) => (await owner.query(text, values)).rows as never,
    http: async (method, path, { token, body, headers } = {}) => {
      const response = await app.inject({
        method: method as 'GET',
        url: path,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const json = response.headers['content-type']?.toString().includes('json') ?? false;
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
      await database.drop();
    },
  };
}
