import { QueryFailedError } from 'typeorm';

interface DriverError {
  code?: unknown;
  constraint?: unknown;
  table?: unknown;
}

/** PostgreSQL's description of a failed statement, without the values in it. */
export interface DatabaseFailure {
  /** SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html */
  code: string | null;
  constraint: string | null;
  table: string | null;
}

/** PostgreSQL's error, or null when the error is not from PostgreSQL. */
export function databaseFailure(error: unknown): DatabaseFailure | null {
  if (!(error instanceof QueryFailedError)) return null;
  const { code, constraint, table } = error.driverError as DriverError;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return { code: text(code), constraint: text(constraint), table: text(table) };
}

/** Whether the statement failed on this unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const failure = databaseFailure(error);
  return failure?.code === '23505' && (constraint === undefined || failure.constraint === constraint);
}

/** Whether the statement failed on this foreign key: the referenced row does not exist (any more). */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  const failure = databaseFailure(error);
  return failure?.code === '23503' && (constraint === undefined || failure.constraint === constraint);
}
