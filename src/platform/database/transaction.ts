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

/** Parameter types of a statement. */
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

/** A statement that each connection plans only once. */
export interface PreparedStatement {
  name: string;
  text: string;
}

const names = new Map<string, string>();

/**
 * For frequent statements, or those whose planning costs more than their execution. Not for texts that vary without
 * bound: every connection caches each of them.
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

/** The part of the driver's connection used here. */
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
 * @param queryTimeoutMs how long to wait for the answer; by default the pool's timeout.
 * @throws QueryFailedError, from which `databaseFailure` extracts PostgreSQL's error.
 */
export async function runStatement<Row>(
  connection: Connection,
  statement: string | PreparedStatement,
  parameters: readonly SqlValue[] = [],
  queryTimeoutMs?: number,
): Promise<{ rows: Row[]; count: number; command: string }> {
  const sent = namedAs(statement, connection);
  // Without values it is sent as a simple query, which may hold several statements.
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

/** The driver's time-out has no code, and without one the log would not say what happened. */
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

  /** Runs one statement and returns its rows (also those of UPDATE … RETURNING). */
  async query<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row[]> {
    return (await this.run<Row>(sql, parameters)).rows;
  }

  /** The first row, or null. */
  async one<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row | null> {
    const [row] = await this.query<Row>(sql, parameters);
    return row ?? null;
  }

  /** Runs one statement and returns the number of affected rows. */
  async execute(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<number> {
    return (await this.run(sql, parameters)).count;
  }

  /**
   * Lets each statement from here to the end of the transaction, COMMIT included, take this long (ms), instead of
   * DATABASE_STATEMENT_TIMEOUT_SECONDS.
   */
  async allowLongStatements(ms: number): Promise<void> {
    await this.query(`SET LOCAL statement_timeout = ${Math.round(ms)}`);
    this.queryTimeoutMs = queryTimeout(ms);
  }

  /**
   * Waits for the advisory lock of this name; the end of the transaction releases it. Names are shared by the whole
   * database: a tenant's lock is named by its purpose and the tenant's id.
   * @param mode shared: several may hold it at once, but not together with an exclusive holder.
   */
  async lock(name: string, mode: 'exclusive' | 'shared' = 'exclusive'): Promise<void> {
    await this.query(TAKE_LOCK[mode], [name]);
  }

  /** Only for database.ts, which hands out transactions. @returns false when PostgreSQL has rolled back instead. */
  async commit(): Promise<boolean> {
    return (await this.run('COMMIT')).command === 'COMMIT';
  }

  /** Entities of the caller's own room. */
  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.runner.manager.getRepository(entity);
  }

  /**
   * Saves an entity of the caller's own room and returns the row as a later read would: every column, in order.
   * TypeORM's own `save` returns fields in the order in which they were set.
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

  /** Registers a callback that runs only after the commit: a wake-up, never work. */
  afterCommit(callback: () => void): void {
    this.committed.push(callback);
  }

  protected run<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]) {
    return runStatement<Row>(this.connection, sql, parameters, this.queryTimeoutMs);
  }

  /** Only for database.ts, which hands out transactions. */
  notifyCommitted(): void {
    for (const callback of this.committed) {
      try {
        callback();
      } catch (error) {
        // The transaction is committed: the caller must not get an error.
        this.logger.error({ event: 'after_commit_failed', err: error });
      }
    }
  }
}

/** A transaction of one tenant: row-level security limits it to that tenant's rows. */
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
  // A separate property, so that the type checker never accepts one kind of transaction for the other.
  readonly across_tenants = true;
}
