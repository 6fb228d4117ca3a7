import { Logger } from '@nestjs/common';
import {
  type DeepPartial,
  type EntityTarget,
  type ObjectLiteral,
  QueryFailedError,
  type QueryRunner,
  type Repository,
} from 'typeorm';
import { queryTimeout } from './timeouts.js';

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

const TAKE_LOCK = {
  exclusive: prepared('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))'),
  shared: prepared('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))'),
};

/** The driver's connection, as far as it is used here. */
export interface Connection {
  query(statement: {
    text: string;
    name?: string;
    values?: unknown[];
    query_timeout?: number;
  }): Promise<{ rows: unknown[]; rowCount: number | null; command: string }>;
  connection: { stream: { cork(): void; uncork(): void } };
  /** Statements get no names: a PgBouncer in transaction mode may run the next one on another connection. */
  unnamed?: true;
}

/**
 * @param queryTimeoutMs how long to wait for the answer; without it, what the pool's statements wait.
 * @throws QueryFailedError, from which `databaseFailure` reads what PostgreSQL said.
 */
export async function runStatement<Row>(
  connection: Connection,
  statement: string | PreparedStatement,
  parameters: readonly SqlValue[] = [],
  queryTimeoutMs?: number,
): Promise<{ rows: Row[]; count: number; command: string }> {
  const sent = namedAs(statement, connection);
  // Without values it goes as a simple query, which may hold several statements.
  const values = parameters.length === 0 ? {} : { values: [...parameters] };
  const timeout = queryTimeoutMs === undefined ? {} : { query_timeout: queryTimeoutMs };
  try {
    const { rows, rowCount, command } = await connection.query({ ...sent, ...values, ...timeout });
    return { rows: rows as Row[], count: rowCount ?? 0, command };
  } catch (error) {
    throw new QueryFailedError(sent.text, [...parameters], withCode(error as Error));
  }
}

function namedAs(
  statement: string | PreparedStatement,
  { unnamed }: Connection,
): { text: string; name?: string } {
  if (typeof statement === 'string') return { text: statement };
  return unnamed === true ? { text: statement.text } : statement;
}

/** The driver gives its own time-out no code, and without one the log would not say what happened. */
function withCode(error: Error): Error {
  return error.message === 'Query read timeout' ? Object.assign(error, { code: 'ETIMEDOUT' }) : error;
}

/**
 * A transaction as the rooms see it. Rows keep their column names; `date` columns are 'YYYY-MM-DD' strings,
 * `timestamptz` columns `Date`s, `bigint` columns numbers.
 */
export class Transaction {
  private readonly logger = new Logger('Database');
  private readonly committed: (() => void)[] = [];
  private queryTimeoutMs: number | undefined;

  constructor(
    private readonly runner: QueryRunner,
    private readonly connection: Connection,
  ) {}

  /** Runs one statement; the rows it returns (also those of UPDATE … RETURNING). */
  async query<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row[]> {
    return (await this.run<Row>(sql, parameters)).rows;
  }

  /** The first row, or null. */
  async one<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row | null> {
    const [row] = await this.query<Row>(sql, parameters);
    return row ?? null;
  }

  /** Runs one statement; how many rows it touched. */
  async execute(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<number> {
    return (await this.run(sql, parameters)).count;
  }

  /**
   * Lets the statements from here to the end of the transaction, its COMMIT included, take this long each (ms),
   * instead of DATABASE_STATEMENT_TIMEOUT_SECONDS.
   */
  async allowLongStatements(ms: number): Promise<void> {
    await this.query(`SET LOCAL statement_timeout = ${Math.round(ms)}`);
    this.queryTimeoutMs = queryTimeout(ms);
  }

  /**
   * Takes the advisory lock of this name, and waits for it; the end of the transaction releases it. Names are of the
   * whole database: one of a tenant's begins with what it is for and holds the tenant's id.
   * @param mode shared: together with others who share it, but with none who has it exclusively.
   */
  async lock(name: string, mode: 'exclusive' | 'shared' = 'exclusive'): Promise<void> {
    await this.query(TAKE_LOCK[mode], [name]);
  }

  /** For the file that hands out transactions. @returns false when PostgreSQL has rolled back instead. */
  async commit(): Promise<boolean> {
    return (await this.run('COMMIT')).command === 'COMMIT';
  }

  /** Entities of the caller's own room. */
  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.runner.manager.getRepository(entity);
  }

  /**
   * Saves an entity of the caller's own room; the row as a later read gives it: every column, in their order. What
   * TypeORM's `save` itself returns has its fields in the order in which they were set.
   */
  async save<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    values: NoInfer<DeepPartial<Entity>>,
  ): Promise<Entity> {
    const repository = this.repository(entity);
    const saved = await repository.save(values);
    const row = repository.create();
    for (const column of repository.metadata.columns) {
      column.setEntityValue(row, column.getEntityValue(saved) ?? null);
    }
    return row;
  }

  /** Something to do once the transaction is committed, and only then: a wake-up, never work. */
  afterCommit(callback: () => void): void {
    this.committed.push(callback);
  }

  private run<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]) {
    return runStatement<Row>(this.connection, sql, parameters, this.queryTimeoutMs);
  }

  /** For the file that hands out transactions. */
  notifyCommitted(): void {
    for (const callback of this.committed) {
      try {
        callback();
      } catch (error) {
        // It is committed: the caller must not see a failure.
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
  // A property of its own, so that the type checker accepts neither transaction for the other.
  readonly across_tenants = true;
}
