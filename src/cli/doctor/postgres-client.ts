import type pg from 'pg';
import type { Config } from '../../platform/config/config.js';
import { withClient as withOwnClient } from '../../platform/database/one-client.js';
import type { PoolRole } from '../../platform/database/preparation.js';
import { poolSettings } from '../../platform/database/sessions.js';
import { STEP_DEADLINE_MS } from './check.js';

/** Runs work on a connection of its own. @throws the driver's error */
export function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return withOwnClient(url, { application_name: 'vigie-doctor', timeoutMs: STEP_DEADLINE_MS }, work);
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
