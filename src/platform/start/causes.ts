import { types } from 'node:util';
import { DatabaseNotPrepared } from '../database/preparation.js';
import { RedisFault } from '../redis/refusals.js';

/** An expected cause of a failed start. */
export interface Cause {
  reason: string;
  code: string | null;
}

/** Causes that an operator can act on, by system error code or SQLSTATE. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no program listens there (connection refused)',
  ENOTFOUND: 'the host name does not exist in DNS',
  EAI_AGAIN: 'DNS did not answer for the host name',
  ETIMEDOUT: 'no answer (connection timed out)',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ECONNRESET: 'the server closed the connection',
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine does not have this address',
  EACCES: 'this user lacks permission (permission denied)',
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  '28P01': 'PostgreSQL rejects the user or password',
  '28000': 'PostgreSQL rejects the login (pg_hba.conf)',
  '3D000': 'the database does not exist',
  '53300': 'PostgreSQL has no free connection',
  '57P03': 'PostgreSQL is starting or stopping',
  '42501': 'the login lacks a privilege',
};

/** pg's message, as a plain Error, when it timed out. */
const PG_SILENCE = /^(timeout expired|Connection terminated due to connection timeout)$/;
/** ... and when the other end hangs up during the handshake. */
const PG_HANG_UP = /^Connection terminated unexpectedly$/;

/**
 * An expected cause, in words; null for anything else, which is a bug and needs its stack. The messages of a plain
 * `Error`, and of a database that lacks rights, are written for people.
 */
export function expectedCause(error: unknown): Cause | null {
  // Not `instanceof`: Node's own errors are of another realm in tests.
  if (!types.isNativeError(error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const known = code === null ? undefined : REASONS[code];
  // PostgreSQL's own message names the database or the login, never a password.
  if (known !== undefined) return { reason: isSqlState(code) ? `${known}: ${error.message}` : known, code };
  if (PG_SILENCE.test(error.message)) return { reason: 'no answer', code: null };
  if (PG_HANG_UP.test(error.message)) return { reason: 'the server closed the connection', code: null };
  if (code !== null && isSqlState(code)) return { reason: error.message, code };
  const isForPeople =
    Object.getPrototypeOf(error) === Error.prototype ||
    error instanceof DatabaseNotPrepared ||
    error instanceof RedisFault;
  return isForPeople ? { reason: error.message, code } : null;
}

function isSqlState(code: string | null): boolean {
  return code !== null && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}
