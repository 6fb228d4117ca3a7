import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ClsService } from 'nestjs-cls';
import { isUUID } from 'class-validator';
import { DataSource, type QueryRunner } from 'typeorm';
import { SystemTransaction, TenantTransaction, type Transaction } from './transaction.js';

/**
 * Hands out transactions; no other file holds a data source. Everything that a tenant owns is reached through
 * `tenant()`. (test/rules reads the imports.)
 */
@Injectable()
export class Database {
  constructor(
    @InjectDataSource('app') private readonly app: DataSource,
    private readonly cls: ClsService,
  ) {}

  /**
   * Runs `work` in one transaction of this tenant; commits when it returns, rolls back when it throws.
   * @throws Error when there is no tenant: a forgotten context is a fault, never an empty list.
   */
  async tenant<Result>(tenantId: string, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
    if (!isUUID(tenantId)) throw new Error('a tenant transaction needs a tenant id');
    if (this.cls.isActive()) this.cls.set('tenant_id', tenantId);
    return inTransaction(
      this.app,
      (runner) => new TenantTransaction(runner, tenantId),
      async (tx) => {
        await tx.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenantId]);
        return work(tx);
      },
    );
  }

  /** Resolves when the application pool can reach PostgreSQL. */
  async ping(): Promise<void> {
    await this.app.query('SELECT 1');
  }
}

/**
 * The same across tenants, as the system role. Only the files that test/rules names may use it: the
 * dispatcher, the scheduler, maintenance, the operators' own rooms, and finding who a caller is.
 */
@Injectable()
export class SystemDatabase {
  constructor(@InjectDataSource('system') private readonly source: DataSource) {}

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. */
  async transaction<Result>(work: (tx: SystemTransaction) => Promise<Result>): Promise<Result> {
    return inTransaction(this.source, (runner) => new SystemTransaction(runner), work);
  }

  /** One statement, which is its own transaction. */
  async query<Row>(...statement: Parameters<Transaction['query']>): Promise<Row[]> {
    const runner = this.source.createQueryRunner();
    try {
      return await new SystemTransaction(runner).query<Row>(...statement);
    } finally {
      await runner.release();
    }
  }
}

async function inTransaction<Tx extends Transaction, Result>(
  source: DataSource,
  open: (runner: QueryRunner) => Tx,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const runner = source.createQueryRunner();
  const tx = open(runner);
  let result: Result;
  try {
    await runner.startTransaction();
    result = await work(tx);
    await runner.commitTransaction();
  } catch (error) {
    // A broken connection can't roll back, and has nothing left to: the first error is the one to tell.
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
  tx.notifyCommitted();
  return result;
}
