import { DataSource } from 'typeorm';
import { Alerts1700000000008 } from './migrations/8-alerts.js';
import { Backups1700000000009 } from './migrations/9-backups.js';
import { Audit1700000000007 } from './migrations/7-audit.js';
import { Messages1700000000005 } from './migrations/5-messages.js';
import { Imports1700000000004 } from './migrations/4-imports.js';
import { Notifications1700000000003 } from './migrations/3-notifications.js';
import { Ops1700000000006 } from './migrations/6-ops.js';
import { Watched1700000000002 } from './migrations/2-watched.js';
import { Who1700000000001 } from './migrations/1-who.js';

/** Every migration, in order. They only go forward. */
export const MIGRATIONS = [
  Who1700000000001,
  Watched1700000000002,
  Notifications1700000000003,
  Imports1700000000004,
  Messages1700000000005,
  Ops1700000000006,
  Audit1700000000007,
  Alerts1700000000008,
  Backups1700000000009,
];

/** Any number, the same in every process: one migrates, the others wait and find nothing left to do. */
const MIGRATION_LOCK = 7_836_411;

/**
 * Brings the database up to date, as its owner, under an advisory lock.
 * @param ownerUrl PostgreSQL URL of the owner; the pools use other roles.
 * @returns the names of the migrations that ran.
 */
export async function migrate(ownerUrl: string): Promise<string[]> {
  const source = new DataSource({
    type: 'postgres',
    url: ownerUrl,
    applicationName: 'vigie-migrate',
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    poolSize: 2,
    connectTimeoutMS: 10_000,
  });
  await source.initialize();
  try {
    const lock = source.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      return (await source.runMigrations()).map((migration) => migration.name);
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await source.destroy();
  }
}
