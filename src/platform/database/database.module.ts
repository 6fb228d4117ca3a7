import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import pg from 'pg';
import type { Config } from '../config/config.js';
import { Database, SystemDatabase } from './database.js';
import { POOL_ROLES } from './preparation.js';
import { poolSettings } from './sessions.js';
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
 * Connects once with the settings of each pool, before anything else does.
 * @throws Error with a plain message when a PgBouncer refuses the settings of a connection.
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
    } catch (error) {
      if (!(error instanceof Error) || !/unsupported startup parameter/.test(error.message)) throw error;
      throw new Error(
        'the database URLs lead to a PgBouncer: set DATABASE_POOLER=transaction, or name PostgreSQL itself ' +
          '(docs/operations.md, "PgBouncer")',
        { cause: error },
      );
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
