import pg from 'pg';
import type { Config } from '../../platform/config/config.js';
import type { PoolRole } from '../../platform/database/preparation.js';
import { poolSettings } from '../../platform/database/sessions.js';
import { STEP_DEADLINE_MS } from './check.js';

/**
 * Runs work on a connection of its own.
 * @throws the driver's error
 */
export async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'vigie-doctor',
    connectionTimeoutMillis: STEP_DEADLINE_MS,
    query_timeout: STEP_DEADLINE_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    // A server that never answered will not answer a disconnect either.
    client.end().catch(() => undefined);
  }
}

/** Runs read-only work in one transaction as the role of a pool, also through a PgBouncer. */
export async function asRole<Result>(
  config: Config,
  role: PoolRole,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const own = role === 'vigie_app' ? config.databaseAppUrl : config.databaseSystemUrl;
  return withClient(poolSettings(config, role).url, async (client) => {
    await client.query('BEGIN READ ONLY');
    if (own === null) await client.query(`SET LOCAL ROLE ${role}`);
    await client.query(`SET LOCAL statement_timeout = ${STEP_DEADLINE_MS}`);
    try {
      return await work(client);
    } finally {
      await client.query('ROLLBACK').catch(() => undefined);
    }
  });
}
