import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';

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

/** The environment of a server on this database, in a child process or in this one. */
export function environmentFor(database: TestDatabase): Record<string, string> {
  return {
    DATABASE_URL: database.owner_url,
    DATABASE_APP_URL: database.app_url,
    DATABASE_SYSTEM_URL: database.system_url,
    REDIS_URL: required('TEST_REDIS_URL'),
    REDIS_PREFIX: `test-${randomBytes(6).toString('hex')}`,
    JWT_SECRET: 'a secret that only the tests know; 32+',
    // A test sends in a second what a person sends in a day; those about limits set their own.
    API_REQUESTS_PER_MINUTE: '0',
    API_ANONYMOUS_REQUESTS_PER_MINUTE: '0',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'error',
    PORT: '0',
    HOST: '127.0.0.1',
  };
}

/** Settings of a server that sends its mails to this local SMTP server, without TLS. */
export function mailEnvironment({ port }: { port: number }): Record<string, string> {
  return {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(port),
    SMTP_TLS: 'false',
    SMTP_FROM_EMAIL: 'vigie@vigie.example',
  };
}
