import { Logger } from '@nestjs/common';
import type { EntityTarget, ObjectLiteral, QueryRunner, Repository } from 'typeorm';

/** What a statement takes as parameters. */
export type SqlValue =
  | string
  | number
  | boolean
  | Date
  | Buffer
  | null
  | undefined
  | readonly (string | number | boolean | Date | Buffer | null)[]
  | Record<string, unknown>;

/**
 * A transaction as the rooms see it. Rows keep their column names; `date` columns are 'YYYY-MM-DD' strings,
 * `timestamptz` columns `Date`s, `bigint` columns numbers.
 */
export class Transaction {
  private readonly logger = new Logger('Database');
  private readonly committed: (() => void)[] = [];

  constructor(private readonly runner: QueryRunner) {}

  /** Runs one statement; the rows it returns (also those of UPDATE … RETURNING). */
  async query<Row>(sql: string, parameters: readonly SqlValue[] = []): Promise<Row[]> {
    const result = await this.runner.query(sql, [...parameters], true);
    return result.records as Row[];
  }

  /** The first row, or null. */
  async one<Row>(sql: string, parameters: readonly SqlValue[] = []): Promise<Row | null> {
    const [row] = await this.query<Row>(sql, parameters);
    return row ?? null;
  }

  /** Runs one statement; how many rows it touched. */
  async execute(sql: string, parameters: readonly SqlValue[] = []): Promise<number> {
    const result = await this.runner.query(sql, [...parameters], true);
    return result.affected ?? 0;
  }

  /** Entities of the caller's own room. */
  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.runner.manager.getRepository(entity);
  }

  /** Something to do once the transaction is committed, and only then: a wake-up, never work. */
  afterCommit(callback: () => void): void {
    this.committed.push(callback);
  }

  /** For the file that hands out transactions. */
  notifyCommitted(): void {
    for (const callback of this.committed) {
      try {
        callback();
      } catch (error) {
        // It is committed: whoever asked for it must not hear that it failed.
        this.logger.error({ event: 'after_commit_failed', err: error });
      }
    }
  }
}

/** A transaction of one tenant: row-level security shows it that tenant's rows and no others. */
export class TenantTransaction extends Transaction {
  constructor(
    runner: QueryRunner,
    readonly tenant_id: string,
  ) {
    super(runner);
  }
}

/** A transaction across tenants, as the system role. */
export class SystemTransaction extends Transaction {
  // Told apart from a tenant's, so that neither can be passed for the other.
  readonly across_tenants = true;
}
