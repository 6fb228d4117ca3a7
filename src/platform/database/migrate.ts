import { DataSource } from 'typeorm';
import { Schema1700000000001 } from './migrations/1-schema.js';
import { assertPrepared, grantRoles, type OwnerQuery, type PoolRole } from './preparation.js';
import { CONNECTION_KEEP_ALIVE } from './timeouts.js';

/** Every migration, in order. They only go forward. */
export const MIGRATIONS = [Schema1700000000001];

/** Any number, the same in every process: one migrates, the others wait and find nothing left to do. */
const MIGRATION_LOCK = 7_836_411;

/**
 * The longest statement of a migration, in ms: an index over a large table, or the wait for another process that
 * migrates.
 */
const MAX_STATEMENT_MS = 60 * 60 * 1_000;

/**
 * Brings the database up to date, as its owner, under an advisory lock.
 * @param ownerUrl PostgreSQL URL of the owner; the pools use other roles.
 * @param takenOn the roles that pools take on as the owner; the others have logins (`rolesToTakeOn`).
 * @returns the names of the migrations that ran.
 * @throws DatabaseNotPrepared where the owner lacks a right: it has all that is missing, with the SQL to run.
 */
export async function migrate(ownerUrl: string, takenOn: readonly PoolRole[] = []): Promise<string[]> {
  const source = new DataSource({
    type: 'postgres',
    url: ownerUrl,
    applicationName: 'vigie-migrate',
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    poolSize: 2,
    connectTimeoutMS: 10_000,
    extra: { query_timeout: MAX_STATEMENT_MS, ...CONNECTION_KEEP_ALIVE },
  });
  await source.initialize();
  try {
    const lock = source.createQueryRunner();
    const query: OwnerQuery = async (sql, parameters) => (await lock.query(sql, parameters)) as never;
    try {
      await query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const [made] = await query<{ made: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS made`);
      await assertPrepared(query, takenOn, made?.made !== true);
      const names = (await source.runMigrations()).map((migration) => migration.name);
      await grantRoles(query, takenOn);
      return names;
    } finally {
      await query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await source.destroy();
  }
}
