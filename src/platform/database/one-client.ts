import pg from 'pg';

/**
 * Runs work on a connection of its own, outside the pools.
 * @param timeoutMs for connecting, signing in and each statement
 * @throws the driver's error
 */
export async function withClient<Result>(
  url: string,
  { application_name, timeoutMs }: { application_name: string; timeoutMs: number },
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: url,
    application_name,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // The connection may break while idle, between two statements.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    // A server that never answered will not answer a disconnect either.
    client.end().catch(() => undefined);
  }
}
