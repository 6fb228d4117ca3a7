/**
 * A vanished host sends no reset: without these timeouts a statement and its caller wait about 15 minutes (Linux' TCP
 * retransmissions).
 *
 * PostgreSQL's `statement_timeout` ends statements that run too long. This later timeout covers a PostgreSQL that can
 * no longer answer.
 */
const GRACE_MS = 5_000;

/** How long to wait for the answer to a statement that PostgreSQL itself ends after `statementTimeoutMs`. */
export function queryTimeout(statementTimeoutMs: number): number {
  return statementTimeoutMs + GRACE_MS;
}

/**
 * Detects a vanished host behind an idle or waiting connection: the first probe after 10 s of silence; Node has the
 * system send ten more, a second apart.
 */
export const CONNECTION_KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const;
