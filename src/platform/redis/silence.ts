import { Cluster, type Redis } from 'ioredis';

/** How often each connection is asked for a sign of life, in ms. */
const PING_INTERVAL_MS = 3_000;
/** A connection without an answer for so long is dropped, in ms: longer than a blocking read of Bull (5 s). */
const SILENT_AFTER_MS = 8_900;

interface Question {
  /** The socket on which it was sent. */
  stream: Redis['stream'];
  /** When, in ms of `performance.now()`. */
  at: number;
}

/**
 * Drops a connection whose server does not answer, so that the client opens another one: a host that vanishes closes
 * nothing, and TCP notices after a quarter of an hour. With Sentinel the new connection leads to the new primary.
 */
export function dropWhenSilent(connection: Redis | Cluster): void {
  const asked = new WeakMap<Redis, Question>();
  const timer = setInterval(() => {
    const servers = connection instanceof Cluster ? connection.nodes() : [connection];
    for (const server of servers) if (server.status === 'ready') dropOrAsk(server, asked);
  }, PING_INTERVAL_MS).unref();
  connection.once('end', () => clearInterval(timer));
}

function dropOrAsk(server: Redis, asked: WeakMap<Redis, Question>): void {
  const before = asked.get(server);
  if (before?.stream === server.stream) {
    if (performance.now() - before.at >= SILENT_AFTER_MS) server.disconnect(true);
    return;
  }
  const question = { stream: server.stream, at: performance.now() };
  asked.set(server, question);
  server
    .ping()
    .catch((error: unknown) => {
      // Any other error is an answer, or the end of this connection.
      const isSilent = error instanceof Error && error.message === 'Command timed out';
      if (isSilent && server.stream === question.stream) server.disconnect(true);
    })
    .finally(() => {
      if (asked.get(server) === question) asked.delete(server);
    });
}
