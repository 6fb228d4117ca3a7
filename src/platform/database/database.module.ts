import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import pg from 'pg';
import type { Config } from '../config/config.js';
import { Database, SystemDatabase } from './database.js';
import { POOL_ROLES, type PoolRole } from './preparation.js';
import { assertWritable } from './read-only.js';
import { type PoolSettings, poolSettings } from './sessions.js';
import { CONNECTION_KEEP_ALIVE } from './timeouts.js';

// A civil date has no instant, and a count fits a number. The driver's defaults (local midnight, string) would have to
// be converted everywhere.
pg.types.setTypeParser(pg.types.builtins.DATE, (value) => value);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const CONNECT_TIMEOUT_MS = 5_000;

function source(name: 'app' | 'system', config: Config): TypeOrmModuleOptions {
  const role = `vigie_${name}` as const;
  const { url, connection } = poolSettings(config, role);
  return {
    type: 'postgres',
    name,
    url,
    applicationName: role,
    autoLoadEntities: true,
    poolSize: config.databasePoolSize,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    retryAttempts: 3,
    retryDelay: 1_000,
    extra: {
      ...connection,
      ...CONNECTION_KEEP_ALIVE,
      // Statements issued without waiting are sent together.
      pipeline: true,
      // During a failover the address may already lead to a standby that is not promoted yet.
      onConnect: assertWritable,
    },
  };
}

/** The two pools (application, system), and the only way to open a transaction. */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRoot(source('app', config)),
        TypeOrmModule.forRoot(source('system', config)),
      ],
      providers: [Database, SystemDatabase],
      exports: [Database, SystemDatabase],
    };
  }
}

/**
 * Connects once as each pool will, before anything else does.
 * @throws Error in words where a PgBouncer refuses the settings of a connection, or ignores them
 *   (`ignore_startup_parameters`): the pool would run as the owner.
 */
export async function checkPostgres(config: Config): Promise<void> {
  for (const role of POOL_ROLES) {
    const { url, connection } = poolSettings(config, role);
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      ...connection,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      if (!(await hasSettings(client, role, connection))) throw new Error(LEADS_TO_PGBOUNCER);
    } catch (error) {
      if (!(error instanceof Error) || !/unsupported startup parameter/.test(error.message)) throw error;
      throw new Error(LEADS_TO_PGBOUNCER, { cause: error });
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

const LEADS_TO_PGBOUNCER =
  'the database URLs lead to a PgBouncer: set DATABASE_POOLER=transaction, or name PostgreSQL itself ' +
  '(docs/operations.md, "PgBouncer")';

/** Whether a connection runs in the role and with the timeout that it was opened with, where it takes a role on. */
async function hasSettings(
  client: pg.Client,
  role: PoolRole,
  { options, statement_timeout }: PoolSettings['connection'],
): Promise<boolean> {
  if (options === undefined) return true;
  const { rows } = await client.query<{ role: string; timeout: number }>(
    `SELECT current_user::text AS role, setting::int AS timeout FROM pg_settings WHERE name = 'statement_timeout'`,
  );
  return rows[0]?.role === role && rows[0].timeout === statement_timeout;
}
