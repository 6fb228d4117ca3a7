/**
 * A host that vanishes sends no reset: without these a statement waits for about 15 minutes (Linux' TCP
 * retransmissions), and its caller as long.
 *
 * PostgreSQL's own `statement_timeout` ends what runs too long. This later one, here, ends the wait for a PostgreSQL
 * that can no longer say so.
 */
const GRACE_MS = 5_000;

/** How long to wait for the answer to a statement that PostgreSQL itself ends after `statementTimeoutMs`. */
export function queryTimeout(statementTimeoutMs: number): number {
  return statementTimeoutMs + GRACE_MS;
}

/**
 * Finds a vanished host behind a connection that is idle, or that waits for an answer: the first probe after 10 s of
 * silence; Node has the system send ten more, a second apart.
 */
export const CONNECTION_KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const;
