import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ClsService } from 'nestjs-cls';
import { isUUID } from 'class-validator';
import { DataSource, type QueryRunner } from 'typeorm';
import { CONFIG, type Config } from '../config/config.js';
import { currentRehearsal, refuseInRehearsal, Rehearsal, type RehearsalLimits } from './rehearsal.js';
import { currentTraceparent } from '../tracing/current.js';
import { Connections } from './connections.js';
import type { PoolUsage } from './pool-usage.js';
import { assertWritable } from './read-only.js';
import { type PoolSettings, poolSettings } from './sessions.js';
import {
  type Connection,
  runStatement,
  SystemTransaction,
  TenantTransaction,
  type Transaction,
} from './transaction.js';

type Statement = Parameters<Transaction['query']>;

/** Statements of one tenant. Those of a `TenantTransaction` run together; those of `single()` run separately. */
export type TenantStatements = Pick<TenantTransaction, 'tenant_id' | 'query' | 'one'>;

/**
 * Hands out transactions; no other file has a data source. Everything that a tenant owns is reached through `tenant()`.
 * (test/rules checks the imports.)
 */
@Injectable()
export class Database {
  private readonly settings: PoolSettings;
  private readonly app: Connections;

  constructor(
    @InjectDataSource('app') source: DataSource,
    private readonly cls: ClsService,
    @Inject(CONFIG) config: Config,
  ) {
    this.settings = poolSettings(config, 'vigie_app');
    this.app = new Connections(source, this.settings.names);
  }

  /**
   * Runs `work` in one transaction of this tenant; commits when it returns, rolls back when it throws.
   * @throws Error without a tenant: a missing context is a bug, never an empty list.
   */
  async tenant<Result>(tenantId: string, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
    this.enter(tenantId);
    const rehearsal = currentRehearsal();
    if (rehearsal !== undefined) return rehearsal.transaction(tenantId, work);
    return inTransaction(
      this.app,
      beginWith(this.settings.opening, asTenant(tenantId)),
      (runner, connection) => new TenantTransaction(runner, connection, tenantId),
      work,
    );
  }

  /**
   * Runs `work` without a trace: every transaction of this tenant that it or the code it calls opens is a part of one
   * that is rolled back at the end. Access to other tenants, and to queues, throws.
   * @throws RehearsalTooLongError when it takes longer than its limits; else what `work` throws.
   */
  async rehearse<Result>(
    tenantId: string,
    limits: RehearsalLimits,
    work: (rehearsal: Rehearsal) => Promise<Result>,
  ): Promise<Result> {
    this.enter(tenantId);
    refuseInRehearsal('a rehearsal');
    let held: Rehearsal | undefined;
    const outcome: { result?: { of: Result } } = {};
    await inTransaction(
      this.app,
      beginWith(this.settings.opening, asTenant(tenantId), ...Rehearsal.settings(limits)),
      (runner, connection) => {
        held = new Rehearsal(runner, connection, tenantId, limits);
        return new TenantTransaction(runner, connection, tenantId);
      },
      async () => {
        const rehearsal = held;
        if (rehearsal === undefined) throw new Error('the transaction was not opened');
        outcome.result = { of: await rehearsal.run(() => work(rehearsal)) };
        throw new RehearsedError();
      },
    ).catch((error: unknown) => {
      if (!(error instanceof RehearsedError)) throw error;
    });
    if (outcome.result === undefined) throw new Error('the rehearsal has no result');
    return outcome.result.of;
  }

  /**
   * For single statements: each is a transaction of this tenant, opened, run and committed in one message to
   * PostgreSQL.
   * @throws Error without a tenant.
   */
  single(tenantId: string): TenantStatements {
    this.enter(tenantId);
    const rehearsal = currentRehearsal();
    if (rehearsal !== undefined) return rehearsal.single(tenantId);
    const begin = beginWith(this.settings.opening, asTenant(tenantId));
    const query = async <Row>(...statement: Statement): Promise<Row[]> =>
      this.app.use((connection) => runAlone<Row>(connection, begin, statement));
    return {
      tenant_id: tenantId,
      query,
      one: async <Row>(...statement: Statement) => (await query<Row>(...statement))[0] ?? null,
    };
  }

  /** The connections of this process's pool. */
  connections(): PoolUsage {
    return this.app.usage();
  }

  /**
   * Resolves when the application pool can reach a PostgreSQL that accepts changes.
   * @throws ReadOnlyPostgres when it accepts none; else the driver's error.
   */
  async ping(): Promise<void> {
    await this.app.use(assertWritable);
  }

  private enter(tenantId: string): void {
    if (!isUUID(tenantId)) throw new Error('a tenant transaction needs a tenant id');
    if (this.cls.isActive()) this.cls.set('tenant_id', tenantId);
  }
}

/**
 * The same across tenants, as the system role. Only the files that test/rules names may use it: the dispatcher, the
 * scheduler, maintenance, the operators' rooms, and authentication.
 */
@Injectable()
export class SystemDatabase {
  private readonly settings: PoolSettings;
  private readonly system: Connections;

  constructor(@InjectDataSource('system') source: DataSource, @Inject(CONFIG) config: Config) {
    this.settings = poolSettings(config, 'vigie_system');
    this.system = new Connections(source, this.settings.names);
  }

  /** The connections of this process's pool. */
  connections(): PoolUsage {
    return this.system.usage();
  }

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. */
  async transaction<Result>(work: (tx: SystemTransaction) => Promise<Result>): Promise<Result> {
    refuseInRehearsal('a transaction across tenants');
    return inTransaction(
      this.system,
      beginWith(this.settings.opening),
      (runner, connection) => new SystemTransaction(runner, connection),
      work,
    );
  }

  /** One statement in its own transaction. */
  async query<Row>(...statement: Statement): Promise<Row[]> {
    refuseInRehearsal('a statement across tenants');
    const { opening } = this.settings;
    return this.system.use(async (connection) =>
      opening === ''
        ? (await runStatement<Row>(connection, ...statement)).rows
        : runAlone<Row>(connection, beginWith(opening), statement),
    );
  }
}

/** The end of a rehearsal: rolls it back. */
class RehearsedError extends Error {}

/** Opens a transaction, runs the statement and commits, in one message. */
async function runAlone<Row>(connection: Connection, begin: string, statement: Statement): Promise<Row[]> {
  // PostgreSQL answers in this order and continues after a failure, so the next user finds the connection ready.
  const [, { rows }] = await together(connection, () =>
    Promise.all([
      runStatement(connection, begin),
      runStatement<Row>(connection, ...statement),
      runStatement(connection, 'COMMIT'),
    ]),
  );
  return rows;
}

/** One message: a message with several statements takes no parameters. */
function beginWith(...settings: readonly string[]): string {
  return ['BEGIN', ...settings.filter((setting) => setting !== '')].join('; ');
}

/** Neither needs escaping. Notifications keep the trace that created them, for the process that sends them. */
function asTenant(tenantId: string): string {
  const traceparent = currentTraceparent();
  const traced = traceparent === null ? '' : `; SET LOCAL app.traceparent = '${traceparent}'`;
  return `SET LOCAL app.tenant_id = '${tenantId}'${traced}`;
}

/**
 * The pools pipeline: `opening` and the first statement of `work` are sent together, with one wait for both. If
 * `opening` alone fails, the rest runs without a tenant, sees and writes nothing, and is not committed.
 */
async function inTransaction<Tx extends Transaction, Result>(
  connections: Connections,
  opening: string,
  transactionOn: (runner: QueryRunner, connection: Connection) => Tx,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const { runner, connection } = await connections.open();
  const tx = transactionOn(runner, connection);
  // TypeORM would otherwise open another transaction.
  Object.assign(runner, { isTransactionActive: true });
  let result: Result;
  try {
    const [opened, working] = together(connection, () => [runStatement(connection, opening), work(tx)]);
    opened.catch(() => undefined);
    // Wait for the end, even if `opening` has failed: until then the connection is in use.
    result = await working;
    await opened;
    // PostgreSQL rolls back without an error when `work` has continued after a failed statement.
    if (!(await tx.commit())) throw new Error('nothing was committed: a statement had failed');
  } catch (error) {
    // A broken connection can't roll back, and has nothing to roll back: the first error is thrown.
    await runStatement(connection, 'ROLLBACK').catch(() => undefined);
    connections.noteFailure(error, connection);
    throw error;
  } finally {
    Object.assign(runner, { isTransactionActive: false });
    await runner.release();
  }
  tx.notifyCommitted();
  return result;
}

/**
 * Everything that `send` sends before it first waits goes out in one write: a write costs as much as a small statement.
 */
function together<Result>({ connection: { stream } }: Connection, send: () => Result): Result {
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}
