import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ClsService } from 'nestjs-cls';
import { isUUID } from 'class-validator';
import type { Pool } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { CONFIG, type Config } from '../config/config.js';
import { type PoolSettings, poolSettings } from './sessions.js';
import {
  type Connection,
  runStatement,
  SystemTransaction,
  TenantTransaction,
  type Transaction,
} from './transaction.js';

type Statement = Parameters<Transaction['query']>;

/** Statements of one tenant. Of a `TenantTransaction` they are together, of `single()` each is its own. */
export type TenantStatements = Pick<TenantTransaction, 'tenant_id' | 'query' | 'one'>;

/**
 * Hands out transactions; no other file holds a data source. Everything that a tenant owns is reached through
 * `tenant()`. (test/rules reads the imports.)
 */
@Injectable()
export class Database {
  private readonly settings: PoolSettings;

  constructor(
    @InjectDataSource('app') private readonly app: DataSource,
    private readonly cls: ClsService,
    @Inject(CONFIG) config: Config,
  ) {
    this.settings = poolSettings(config, 'vigie_app');
    surviveLostConnections(app);
  }

  /**
   * Runs `work` in one transaction of this tenant; commits when it returns, rolls back when it throws.
   * @throws Error when there is no tenant: a forgotten context is a fault, never an empty list.
   */
  async tenant<Result>(tenantId: string, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
    this.enter(tenantId);
    return inTransaction(
      this.app,
      this.settings,
      beginWith(this.settings.opening, asTenant(tenantId)),
      (runner, connection) => new TenantTransaction(runner, connection, tenantId),
      work,
    );
  }

  /**
   * For what is one statement: each is a transaction of this tenant, begun, run and committed in one message to
   * PostgreSQL.
   * @throws Error when there is no tenant.
   */
  single(tenantId: string): TenantStatements {
    this.enter(tenantId);
    const begin = beginWith(this.settings.opening, asTenant(tenantId));
    const query = async <Row>(...statement: Statement): Promise<Row[]> =>
      withConnection(this.app, this.settings, (connection) => runAlone<Row>(connection, begin, statement));
    return {
      tenant_id: tenantId,
      query,
      one: async <Row>(...statement: Statement) => (await query<Row>(...statement))[0] ?? null,
    };
  }

  /** Resolves when the application pool can reach PostgreSQL. */
  async ping(): Promise<void> {
    await this.app.query('SELECT 1');
  }

  private enter(tenantId: string): void {
    if (!isUUID(tenantId)) throw new Error('a tenant transaction needs a tenant id');
    if (this.cls.isActive()) this.cls.set('tenant_id', tenantId);
  }
}

/**
 * The same across tenants, as the system role. Only the files that test/rules names may use it: the
 * dispatcher, the scheduler, maintenance, the operators' own rooms, and finding who a caller is.
 */
@Injectable()
export class SystemDatabase {
  private readonly settings: PoolSettings;

  constructor(
    @InjectDataSource('system') private readonly source: DataSource,
    @Inject(CONFIG) config: Config,
  ) {
    this.settings = poolSettings(config, 'vigie_system');
    surviveLostConnections(source);
  }

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. */
  async transaction<Result>(work: (tx: SystemTransaction) => Promise<Result>): Promise<Result> {
    return inTransaction(
      this.source,
      this.settings,
      beginWith(this.settings.opening),
      (runner, connection) => new SystemTransaction(runner, connection),
      work,
    );
  }

  /** One statement, which is its own transaction. */
  async query<Row>(...statement: Statement): Promise<Row[]> {
    const { opening } = this.settings;
    return withConnection(this.source, this.settings, async (connection) =>
      opening === ''
        ? (await runStatement<Row>(connection, ...statement)).rows
        : runAlone<Row>(connection, beginWith(opening), statement),
    );
  }
}

/** Begins, runs and commits in one message. */
async function runAlone<Row>(connection: Connection, begin: string, statement: Statement): Promise<Row[]> {
  // PostgreSQL answers in this order, and goes on after a failure: the next user finds the connection ready.
  const [, { rows }] = await together(connection, () =>
    Promise.all([
      runStatement(connection, begin),
      runStatement<Row>(connection, ...statement),
      runStatement(connection, 'COMMIT'),
    ]),
  );
  return rows;
}

/** One message: several statements in one take no parameters. */
function beginWith(...settings: readonly string[]): string {
  return ['BEGIN', ...settings.filter((setting) => setting !== '')].join('; ');
}

/** A uuid has nothing to escape. */
function asTenant(tenantId: string): string {
  return `SET LOCAL app.tenant_id = '${tenantId}'`;
}

/**
 * The pools pipeline: `opening` and the first statement of `work` leave together, one wait for both. Should
 * `opening` fail by itself, what follows runs without a tenant, sees and writes nothing, and is not committed.
 */
async function inTransaction<Tx extends Transaction, Result>(
  source: DataSource,
  { names }: PoolSettings,
  opening: string,
  open: (runner: QueryRunner, connection: Connection) => Tx,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const { runner, connection } = await connect(source, names);
  const tx = open(runner, connection);
  // For TypeORM, which would otherwise begin one of its own.
  Object.assign(runner, { isTransactionActive: true });
  let result: Result;
  try {
    const [opened, working] = together(connection, () => [runStatement(connection, opening), work(tx)]);
    opened.catch(() => undefined);
    // To its end, also where `opening` has failed: until then the connection is in use.
    result = await working;
    await opened;
    // PostgreSQL rolls back without an error where `work` has gone on after a statement that failed.
    if (!(await tx.commit())) throw new Error('nothing was committed: a statement had failed');
  } catch (error) {
    // A broken connection can't roll back, and has nothing left to: the first error is thrown.
    await runStatement(connection, 'ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    Object.assign(runner, { isTransactionActive: false });
    await runner.release();
  }
  tx.notifyCommitted();
  return result;
}

/** What `send` sends before it first waits leaves in one piece: a write costs as much as a small statement. */
function together<Result>({ connection: { stream } }: Connection, send: () => Result): Result {
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** A connection straight from the driver's pool: what TypeORM puts around one costs as much as a statement. */
async function withConnection<Result>(
  { driver }: DataSource,
  { names }: PoolSettings,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const pool = (driver as PostgresDriver).master as Pool;
  const client = await pool.connect();
  client.on('error', ignore);
  try {
    return await work(named(client, names));
  } finally {
    client.off('error', ignore);
    // A timeout destroys the socket, and the pool hears of it later than the caller: it must not lend it again.
    client.release(client.connection.stream.destroyed);
  }
}

/**
 * A connection may be ended in the very message that says it is ready, before its borrower can listen: the
 * pool hands it over in between.
 */
function surviveLostConnections({ driver }: DataSource): void {
  const pool = (driver as PostgresDriver).master as Pool;
  pool.on('connect', (client) => client.on('error', ignore));
}

/** The running statements fail with the connection, and report it. */
function ignore(): void {
  // An error event without a listener would end the process.
}

function named(connection: Connection, names: boolean): Connection {
  return names ? connection : Object.assign(connection, { unnamed: true as const });
}

async function connect(
  source: DataSource,
  names: boolean,
): Promise<{ runner: QueryRunner; connection: Connection }> {
  const runner = source.createQueryRunner();
  // TypeORM leaves open which driver's it is.
  return { runner, connection: named((await runner.connect()) as Connection, names) };
}
