import pg from 'pg';
import { MIGRATION_NAMES, refuseNewer } from './migrate.js';
import { assertWritable } from './read-only.js';

/** For connecting, signing in and each of the statements below, in ms. */
const TIMEOUT_MS = 10_000;

/**
 * Signs in to PostgreSQL and disconnects.
 * @throws ReadOnlyPostgres when it accepts no changes; else the driver's error.
 */
export async function reachPostgres(url: string): Promise<void> {
  await withClient(url, assertWritable);
}

/**
 * Compares the schema with this version, in a process that does not migrate.
 * @param systemUrl as vigie_system
 * @throws Error when the schema is older or newer.
 */
export async function assertMigrated(systemUrl: string): Promise<void> {
  await withClient(systemUrl, assertMigratedOn);
}

/** The same, on an open connection. */
export async function assertMigratedOn(client: pg.Client): Promise<void> {
  const ran = await migrationsOf(client);
  refuseNewer(ran);
  const missing = MIGRATION_NAMES.filter((name) => !ran.includes(name));
  if (missing.length > 0)
    throw new Error(
      `the database is not migrated (${missing.join(', ')} missing): run "vigie migrate" with the owner's DATABASE_URL`,
    );
}

async function migrationsOf(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string | null }>(
    `SELECT to_regclass('migrations')::text AS name`,
  );
  if (tables[0]?.name == null) return [];
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
  return rows.map(({ name }) => name);
}

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'vigie-start',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // The connection may break while idle, between two statements.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    // A server that never answered will not answer a disconnect either.
    client.end().catch(() => undefined);
  }
}
