import type { Config } from '../config/config.js';
import type { PoolRole } from './preparation.js';
import { queryTimeout } from './timeouts.js';

/** PostgreSQL ends a transaction that waits this long for its process, in ms, because it holds locks. */
const MAX_IDLE_IN_TRANSACTION_MS = 60_000;

/** Where a pool connects, and the settings of its statements. */
export interface PoolSettings {
  url: string;
  /** Driver options besides the URL. */
  connection: {
    options?: string;
    statement_timeout?: number;
    idle_in_transaction_session_timeout?: number;
    query_timeout: number;
  };
  /** Statements that open each transaction; empty when the connection has its settings from the start. */
  opening: string;
  /** Whether a connection may keep named statements. */
  names: boolean;
}

/**
 * The settings of a pool. A PgBouncer in transaction mode gives each transaction another connection, so settings belong
 * to the transaction there: https://www.pgbouncer.org/features.html
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
        // Without a separate login the pool takes on the role: it never runs as the owner.
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
