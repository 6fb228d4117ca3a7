import { createPlatform, type Platform } from '../../../test/support/platform.js';
import { toProblem } from '../errors/problem.filter.js';
import { Database, SystemDatabase } from './database.js';
import type { Transaction } from './transaction.js';

/** After a failover, connections may still lead to the old primary, which has become read-only. */

let platform: Platform;
let database: Database;
let system: SystemDatabase;
let tenant: string;

beforeAll(async () => {
  platform = await createPlatform();
  database = platform.module.get(Database);
  system = platform.module.get(SystemDatabase);
  tenant = await platform.tenant();
});
afterAll(async () => platform.close());

/** From here on the connection accepts no changes, as if its server had become a standby. */
const demote = (tx: Transaction) => tx.query('SET default_transaction_read_only = on');
const insert = () =>
  database
    .single(tenant)
    .query(`INSERT INTO tasks (tenant_id, title, due_on) VALUES ($1, 'Liasse', '2026-03-31')`, [tenant]);

/** Several connections at the same time. */
async function demoteSome(): Promise<void> {
  let arrived = 0;
  let release: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (release = resolve));
  await Promise.all(
    [1, 2, 3].map(() =>
      database.tenant(tenant, async (tx) => {
        await demote(tx);
        arrived += 1;
        if (arrived === 3) release();
        await all;
      }),
    ),
  );
}

it('a change fails as unavailable once, and no connection from before is used again', async () => {
  await demoteSome();
  expect(toProblem(await insert().catch((error: unknown) => error)).code).toBe('unavailable');
  await insert();
  await expect(Promise.all([insert(), insert(), insert()])).resolves.toHaveLength(3);
});

it('the same in a longer transaction, and across tenants', async () => {
  const rename = () =>
    system.transaction((tx) => tx.execute('UPDATE tenants SET name = name WHERE id = $1', [tenant]));
  await system.transaction(demote);
  await expect(rename()).rejects.toMatchObject({ driverError: { code: '25006' } });
  await expect(rename()).resolves.toBe(1);
});

it('readiness notices it without a change', async () => {
  await demoteSome();
  await expect(database.ping()).rejects.toThrow(
    'PostgreSQL accepts no changes: default_transaction_read_only is on',
  );
  await expect(database.ping()).resolves.toBeUndefined();
  await insert();
});

it('a new connection that accepts no changes is not used, until one does', async () => {
  const [here] = await platform.sql<{ name: string }>('SELECT current_database() AS name');
  await demoteSome();
  await platform.sql(`ALTER DATABASE ${here!.name} SET default_transaction_read_only = on`);
  await expect(insert()).rejects.toThrow();
  for (const work of [insert, () => database.ping(), () => database.single(tenant).query('SELECT 1')]) {
    expect(toProblem(await work().catch((error: unknown) => error)).code).toBe('unavailable');
    expect(database.connections()).toEqual({ in_use: 0, idle: 0, waiting: 0 });
  }
  await platform.sql(`ALTER DATABASE ${here!.name} RESET default_transaction_read_only`);
  await insert();
});
