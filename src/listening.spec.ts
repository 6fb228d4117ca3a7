import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { createDatabase, environmentFor, type TestDatabase } from '../test/support/database.js';
import { startProcess, stopProcesses } from '../test/support/processes.js';
import { until } from '../test/support/until.js';

describe('a process whose port is taken', () => {
  let database: TestDatabase;
  let owner: pg.Pool;

  beforeAll(async () => {
    database = await createDatabase();
    owner = new pg.Pool({ connectionString: database.owner_url, max: 1 });
    owner.on('error', () => undefined);
  });
  afterAll(async () => {
    await stopProcesses();
    await owner.end();
    await database.drop();
  });

  async function counts(): Promise<{ runs: number; polls: number; workers: number }> {
    const { rows } = await owner.query<{ runs: number; polls: number; workers: number }>(
      `SELECT (SELECT count(*)::int FROM job_runs) AS runs, (SELECT count(*)::int FROM scheduler_polls) AS polls,
              (SELECT count(*)::int FROM workers) AS workers`,
    );
    return rows[0]!;
  }

  it('T9: has not polled, written slots or announced itself', async () => {
    await owner.query(
      `INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
       VALUES ('cabinet', 'Cabinet', 'cabinet', 'Europe/Paris', 'fr', '2020-01-01T00:00:00Z')`,
    );
    const environment = {
      ...environmentFor(database),
      VIGIE_ROLES: 'web,worker,scheduler',
      SCHEDULER_POLL_SECONDS: '1',
      SMTP_HOST: '127.0.0.1',
      SMTP_FROM_EMAIL: 'vigie@example.com',
    };
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => squatter.once('listening', listening));
    const { port } = squatter.address() as AddressInfo;
    await expect(startProcess({ ...environment, PORT: String(port) })).rejects.toThrow('EADDRINUSE');
    expect(await counts()).toEqual({ runs: 0, polls: 0, workers: 0 });

    await new Promise((closed) => squatter.close(closed));
    const server = await startProcess({ ...environment, PORT: String(port) });
    await until('a poll', async () => (await counts()).polls === 1);
    expect(await counts()).toEqual({ runs: 7, polls: 1, workers: 2 });
    await server.stop();
  }, 120_000);
});
