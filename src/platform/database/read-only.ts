import { databaseFailure } from './failures.js';

/** read_only_sql_transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const READ_ONLY = '25006';

/** How long to wait for the answer, in ms: a host may vanish just after it has accepted the connection. */
const ANSWER_WITHIN_MS = 5_000;

/** What is needed of the driver's connection. */
interface Queryable {
  query(statement: { text: string; query_timeout: number }): Promise<{ rows: unknown[] }>;
}

/** PostgreSQL can be read, but not changed. The message says why, and what to do. */
export class ReadOnlyPostgres extends Error {
  readonly code = READ_ONLY;

  constructor(readonly isStandby: boolean) {
    super(
      isStandby
        ? 'PostgreSQL is a standby, which accepts no changes: the database URLs must lead to the primary ' +
            '(docs/scaling.md, "PostgreSQL standby")'
        : 'PostgreSQL accepts no changes: default_transaction_read_only is on',
    );
    this.name = 'ReadOnlyPostgres';
  }
}

/**
 * Resolves if a connection leads to a PostgreSQL that accepts changes.
 * @throws ReadOnlyPostgres
 */
export async function assertWritable(connection: Queryable): Promise<void> {
  const { rows } = await connection.query({
    text: `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only`,
    query_timeout: ANSWER_WITHIN_MS,
  });
  const [row] = rows as { standby: boolean; read_only: boolean }[];
  if (row?.read_only === true) throw new ReadOnlyPostgres(row.standby);
}

/** Whether an error says that its connection leads to a PostgreSQL that accepts no changes. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof ReadOnlyPostgres || databaseFailure(error)?.code === READ_ONLY;
}
