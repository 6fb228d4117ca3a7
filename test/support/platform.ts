import type { ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ClsModule, ClsModuleOptions } from 'nestjs-cls';
import pg from 'pg';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { FixedClock } from '../../src/platform/clock/fixed-clock.js';
import { ConfigModule } from '../../src/platform/config/config.module.js';
import { type Config, readConfig } from '../../src/platform/config/config.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { createDatabase, environmentFor } from './database.js';
import { testLogger } from './test-logger.js';

/** The platform without the rooms, on its own database. */
export interface Platform {
  module: TestingModule;
  clock: FixedClock;
  /** Runs SQL as the owner. */
  sql<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Adds a tenant. */
  tenant(): Promise<string>;
  /** Idempotent; later calls wait for the first. */
  close(): Promise<void>;
}

let tenants = 0;

/** @param more additional providers for the test. @param env variables of docs/configuration.md */
export async function createPlatform(
  more: (config: Config) => ModuleMetadata = () => ({}),
  env: Record<string, string> = {},
): Promise<Platform> {
  const database = await createDatabase();
  const config = readConfig({ ...environmentFor(database), ...env });
  const rest = more(config);
  const clock = new FixedClock('2026-03-02T08:00:00Z');
  const module = await Test.createTestingModule({
    ...rest,
    imports: [
      ConfigModule.forRoot(config),
      ClockModule.forRoot(clock),
      ClsModule.forRoot(Object.assign(new ClsModuleOptions(), { global: true })),
      DatabaseModule.forRoot(config),
      MetricsModule,
      ...(rest.imports ?? []),
    ],
  })
    .setLogger(testLogger(config.logLevel))
    .compile();
  await module.init();
  const owner = new pg.Pool({ connectionString: database.owner_url, max: 3 });
  owner.on('error', () => undefined);
  const sql: Platform['sql'] = async (text, values) => (await owner.query(text, values)).rows as never;
  const close = async () => {
    await module.close();
    await owner.end();
    await database.drop();
  };
  let closed: Promise<void> | undefined;
  return {
    module,
    clock,
    sql,
    tenant: async () => {
      tenants += 1;
      const [row] = await sql<{ id: string }>(
        `INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
         VALUES ($1, $1, 'cabinet', 'Europe/Paris', 'fr', now()) RETURNING id`,
        [`tenant-${tenants}`],
      );
      return row!.id;
    },
    close: () => (closed ??= close()),
  };
}
