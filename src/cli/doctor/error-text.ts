import { types } from 'node:util';

/** The message of an error; its code where it has no message. */
export function messageOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  return error.message === '' ? (codeOf(error) ?? error.name) : error.message;
}

/** A system error code or SQLSTATE. A name with several addresses fails with an AggregateError. */
export function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'errors' in error && Array.isArray(error.errors) && error.errors.length > 0
    ? codeOf(error.errors[0])
    : null;
}
