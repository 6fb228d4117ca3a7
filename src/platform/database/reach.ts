import type pg from 'pg';
import { MIGRATION_NAMES, refuseNewer } from './migrate.js';
import { withClient } from './one-client.js';
import { assertWritable } from './read-only.js';

const START = { application_name: 'vigie-start', timeoutMs: 10_000 };

/**
 * Signs in to PostgreSQL and disconnects.
 * @throws ReadOnlyPostgres when it accepts no changes; else the driver's error.
 */
export async function reachPostgres(url: string): Promise<void> {
  await withClient(url, START, assertWritable);
}

/**
 * Compares the schema with this version, in a process that does not migrate.
 * @param systemUrl as vigie_system
 * @throws Error when the schema is older or newer.
 */
export async function assertMigrated(systemUrl: string): Promise<void> {
  await withClient(systemUrl, START, assertMigratedOn);
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
