import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { Schema1700000000001 } from './migrations/1-schema.js';
import { assertPrepared, grantRoles, type OwnerQuery, type PoolRole } from './preparation.js';
import { CONNECTION_KEEP_ALIVE } from './timeouts.js';

/** Every migration, in order. There are no down migrations. */
export const MIGRATIONS = [Schema1700000000001];
export const MIGRATION_NAMES = MIGRATIONS.map((Migration) => new Migration().name);

/** Any number, the same in every process: one migrates, the others wait and then find nothing to do. */
const MIGRATION_LOCK = 7_836_411;

/**
 * The longest statement of a migration, in ms: an index over a large table, or waiting for another migrating process.
 */
const MAX_STATEMENT_MS = 60 * 60 * 1_000;

/** The longest wait for another migrating process, in ms. */
const LOCK_WAIT_MS = 10 * 60 * 1_000;

export interface MigrateOptions {
  /** The roles that pools take on as the owner; the others have logins (`rolesToTakeOn`). */
  takenOn?: readonly PoolRole[];
  /** How long to wait for another migrating process, in ms. */
  lockWaitMs?: number;
  /** Called once, with the holder of the lock, when another process is migrating. */
  onWait?: (holder: string) => void;
}

/** Delay between two attempts to take the lock. */
const LOCK_STEP_MS = 200;

/**
 * Migrates the database as its owner, under an advisory lock.
 * @param ownerUrl PostgreSQL URL of the owner; the pools use other roles.
 * @returns the names of the migrations that ran.
 * @throws DatabaseNotPrepared when the owner lacks a right: lists everything missing, with the SQL to run.
 * @throws Error when another process does not finish in time, or a newer version of Vigie has migrated the database.
 */
export async function migrate(ownerUrl: string, options: MigrateOptions = {}): Promise<string[]> {
  const { takenOn = [] } = options;
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
      await takeLock(query, options);
      await assertNotNewer(query);
      const [made] = await query<{ made: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS made`);
      await assertPrepared(query, takenOn, made?.made !== true);
      const names = (await source.runMigrations()).map((migration) => migration.name);
      await grantRoles(query, takenOn);
      await query('COMMIT');
      return names;
    } catch (error) {
      // A lost connection can't roll back, and has nothing to roll back.
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
 * Opens a transaction that holds the lock until it ends. A session lock would stay behind on a PgBouncer. Waiting
 * processes hold no connection, because the migrating one needs a second.
 */
async function takeLock(
  query: OwnerQuery,
  { lockWaitMs = LOCK_WAIT_MS, onWait }: MigrateOptions,
): Promise<void> {
  const deadline = performance.now() + lockWaitMs;
  let holder: string | null = null;
  for (;;) {
    await query('BEGIN');
    // It is idle while the other connection migrates.
    await query('SET LOCAL idle_in_transaction_session_timeout = 0');
    const [row] = await query<{ taken: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS taken', [
      MIGRATION_LOCK,
    ]);
    if (row?.taken === true) return;
    if (holder === null) {
      holder = await lockHolder(query);
      onWait?.(holder);
    }
    await query('ROLLBACK');
    if (performance.now() > deadline)
      throw new Error(`another process has been migrating for ${lockWaitMs / 1_000} s (${holder})`);
    await delay(LOCK_STEP_MS);
  }
}

/** The migrating process, as PostgreSQL identifies it. */
async function lockHolder(query: OwnerQuery): Promise<string> {
  const [holder] = await query<{ pid: number; address: string | null }>(
    `SELECT pid, host(client_addr) AS address FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND granted AND objid = ${MIGRATION_LOCK}
       AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  if (holder === undefined) return 'it has just ended';
  return `PostgreSQL session ${holder.pid}${holder.address === null ? '' : ` from ${holder.address}`}`;
}

/** An older program on a newer schema would write data that the newer version cannot read. */
async function assertNotNewer(query: OwnerQuery): Promise<void> {
  const [found] = await query<{ name: string | null }>(`SELECT to_regclass('migrations')::text AS name`);
  if (found?.name === null || found === undefined) return;
  const rows = await query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
  refuseNewer(rows.map(({ name }) => name));
}

/** @throws Error when the database has a migration that this version does not know. */
export function refuseNewer(ran: readonly string[]): void {
  const known = new Set(MIGRATION_NAMES);
  const unknown = ran.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new Error(
      `a newer version of Vigie has migrated this database (${unknown.join(', ')}), and this version cannot use it: ` +
        'start that version, or restore a backup from before the upgrade',
    );
}
