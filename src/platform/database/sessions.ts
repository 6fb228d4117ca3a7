import type { Config } from '../config/config.js';
import type { PoolRole } from './preparation.js';
import { queryTimeout } from './timeouts.js';

/** A transaction that waits for its process this long is ended by PostgreSQL, in ms: it holds locks. */
const MAX_IDLE_IN_TRANSACTION_MS = 60_000;

/** Where a pool connects, and what holds for its statements. */
export interface PoolSettings {
  url: string;
  /** What the driver takes beside the URL. */
  connection: {
    options?: string;
    statement_timeout?: number;
    idle_in_transaction_session_timeout?: number;
    query_timeout: number;
  };
  /** Statements that begin each transaction; empty where the connection has its settings from the start. */
  opening: string;
  /** Whether a connection may keep named statements. */
  names: boolean;
}

/**
 * The settings of a pool. A PgBouncer in transaction mode gives each transaction another connection, so they belong to
 * the transaction there: https://www.pgbouncer.org/features.html
 */
export function poolSettings(config: Config, role: PoolRole): PoolSettings {
  const own = role === 'vigie_app' ? config.databaseAppUrl : config.databaseSystemUrl;
  const url = own ?? config.databaseUrl ?? '';
  const statement_timeout = config.databaseStatementTimeoutSeconds * 1_000;
  const query_timeout = queryTimeout(statement_timeout);
  if (config.databasePooler === 'transaction') {
    return {
      url,
      connection: { query_timeout },
      opening: [
        // Without a login of its own the pool takes the role on: it never runs as the owner.
        ...(own === null ? [`SET LOCAL ROLE ${role}`] : []),
        `SET LOCAL statement_timeout = ${statement_timeout}`,
        `SET LOCAL idle_in_transaction_session_timeout = ${MAX_IDLE_IN_TRANSACTION_MS}`,
      ].join('; '),
      names: false,
    };
  }
  return {
    url,
    connection: {
      ...(own === null ? { options: `-c role=${role}` } : {}),
      statement_timeout,
      idle_in_transaction_session_timeout: MAX_IDLE_IN_TRANSACTION_MS,
      query_timeout,
    },
    opening: '',
    names: true,
  };
}
