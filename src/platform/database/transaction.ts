import { Logger } from '@nestjs/common';
import {
  type EntityTarget,
  type ObjectLiteral,
  QueryFailedError,
  type QueryRunner,
  type Repository,
} from 'typeorm';

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

/** A statement that each connection plans once, and not every time. */
export interface PreparedStatement {
  name: string;
  text: string;
}

const names = new Map<string, string>();

/**
 * For statements that run all the time, or whose planning costs more than their execution. Not for texts of
 * endless variety: every connection keeps each of them.
 */
export function prepared(text: string): PreparedStatement {
  const name = names.get(text) ?? `vigie_${names.size + 1}`;
  names.set(text, name);
  return { name, text };
}

/** The driver's connection, as far as it is used here. */
export interface Connection {
  query(statement: {
    text: string;
    name?: string;
    values?: unknown[];
  }): Promise<{ rows: unknown[]; rowCount: number | null; command: string }>;
  connection: { stream: { cork(): void; uncork(): void } };
}

/** @throws QueryFailedError, from which `databaseFailure` reads what PostgreSQL said. */
export async function runStatement<Row>(
  connection: Connection,
  statement: string | PreparedStatement,
  parameters: readonly SqlValue[] = [],
): Promise<{ rows: Row[]; count: number; command: string }> {
  const sent = typeof statement === 'string' ? { text: statement } : statement;
  // Without values it goes as a simple query, which may hold several statements.
  const values = parameters.length === 0 ? {} : { values: [...parameters] };
  try {
    const { rows, rowCount, command } = await connection.query({ ...sent, ...values });
    return { rows: rows as Row[], count: rowCount ?? 0, command };
  } catch (error) {
    throw new QueryFailedError(sent.text, [...parameters], error as Error);
  }
}

/**
 * A transaction as the rooms see it. Rows keep their column names; `date` columns are 'YYYY-MM-DD' strings,
 * `timestamptz` columns `Date`s, `bigint` columns numbers.
 */
export class Transaction {
  private readonly logger = new Logger('Database');
  private readonly committed: (() => void)[] = [];

  constructor(
    private readonly runner: QueryRunner,
    private readonly connection: Connection,
  ) {}

  /** Runs one statement; the rows it returns (also those of UPDATE … RETURNING). */
  async query<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row[]> {
    return (await runStatement<Row>(this.connection, sql, parameters)).rows;
  }

  /** The first row, or null. */
  async one<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row | null> {
    const [row] = await this.query<Row>(sql, parameters);
    return row ?? null;
  }

  /** Runs one statement; how many rows it touched. */
  async execute(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<number> {
    return (await runStatement(this.connection, sql, parameters)).count;
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
    connection: Connection,
    readonly tenant_id: string,
  ) {
    super(runner, connection);
  }
}

/** A transaction across tenants, as the system role. */
export class SystemTransaction extends Transaction {
  // Told apart from a tenant's, so that neither can be passed for the other.
  readonly across_tenants = true;
}
