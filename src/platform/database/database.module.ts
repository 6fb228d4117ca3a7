import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import pg from 'pg';
import type { Config } from '../config/config.js';
import { Database, SystemDatabase } from './database.js';
import { CONNECTION_KEEP_ALIVE, queryTimeout } from './timeouts.js';

// A civil date has no instant, and a count fits a number: the driver's defaults (a local midnight, a string)
// would each need undoing everywhere.
pg.types.setTypeParser(pg.types.builtins.DATE, (value) => value);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

function source(name: 'app' | 'system', config: Config): TypeOrmModuleOptions {
  const role = `vigie_${name}`;
  const url = name === 'app' ? config.databaseAppUrl : config.databaseSystemUrl;
  const statementTimeoutMs = config.databaseStatementTimeoutSeconds * 1_000;
  return {
    type: 'postgres',
    name,
    url: url ?? config.databaseUrl ?? '',
    applicationName: role,
    autoLoadEntities: true,
    poolSize: config.databasePoolSize,
    connectTimeoutMS: 5_000,
    retryAttempts: 3,
    retryDelay: 1_000,
    extra: {
      // Without a login of its own the pool takes the role on: it never runs as the owner.
      ...(url === null ? { options: `-c role=${role}` } : {}),
      statement_timeout: statementTimeoutMs,
      query_timeout: queryTimeout(statementTimeoutMs),
      idle_in_transaction_session_timeout: 60_000,
      ...CONNECTION_KEEP_ALIVE,
      // Statements that nobody waits between leave together.
      pipeline: true,
    },
  };
}

/** The two pools (application, system) and the only way to a transaction. */
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
