import { setTimeout as delay } from 'node:timers/promises';
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

/** Between two attempts at the lock. */
const LOCK_STEP_MS = 200;

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
      await takeLock(query);
      const [made] = await query<{ made: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS made`);
      await assertPrepared(query, takenOn, made?.made !== true);
      const names = (await source.runMigrations()).map((migration) => migration.name);
      await grantRoles(query, takenOn);
      await query('COMMIT');
      return names;
    } catch (error) {
      // A connection that is lost can't roll back, and has nothing to.
      await query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await lock.release();
    }
  } finally {
    await source.destroy();
  }
}

/**
 * Begins a transaction that holds the lock until its end. Not a lock of the session, which would stay behind at a
 * PgBouncer; and whoever waits holds no connection, since the one that migrates needs a second.
 */
async function takeLock(query: OwnerQuery): Promise<void> {
  const deadline = performance.now() + MAX_STATEMENT_MS;
  for (;;) {
    await query('BEGIN');
    // It waits while the other connection migrates.
    await query('SET LOCAL idle_in_transaction_session_timeout = 0');
    const [row] = await query<{ taken: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS taken', [
      MIGRATION_LOCK,
    ]);
    if (row?.taken === true) return;
    await query('ROLLBACK');
    if (performance.now() > deadline) throw new Error('another process has been migrating for an hour');
    await delay(LOCK_STEP_MS);
  }
}
