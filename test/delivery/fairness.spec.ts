import pg from 'pg';
import { type MailCatcher, startMailCatcher } from '../../src/cli/demo/mail-catcher.js';
import { insertBacklog } from '../support/backlog.js';
import { startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createDatabase, environmentFor, mailEnvironment, type TestDatabase } from '../support/world.js';

/** V4: a flood of one tenant does not delay another's mail. */
describe('a flood of one tenant', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let catcher: MailCatcher;

  beforeAll(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.owner_url });
    await client.connect();
    catcher = await startMailCatcher();
  });

  afterAll(async () => {
    await stopProcesses();
    await catcher.close();
    await client.end();
    await database.drop();
  });

  const waiting = async () => {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM deliveries WHERE address LIKE '%@flood%' AND state = 'pending'`,
    );
    return Number(rows[0]?.count);
  };
  const arrivedAt = (domain: string) =>
    catcher.mails.filter(({ to }) => to.some((address) => address.includes(`@${domain}`)));

  it('of 50,000 mails lets another tenant’s through within seconds, and serves 1,000 tenants', async () => {
    await insertBacklog(client, { tenants: 1, deliveries: 50_000, users: 100, prefix: 'flood' });
    await startProcess({
      ...environmentFor(database),
      VIGIE_ROLES: 'web,worker,scheduler',
      ...mailEnvironment(catcher),
      LIMIT_PER_USER_PER_HOUR: '0',
      LIMIT_PER_USER_PER_DAY: '0',
    });
    await catcher.waitFor(200, 30_000);

    // No kick announces these: the dispatcher finds them in its next round.
    await insertBacklog(client, { tenants: 1, deliveries: 10, prefix: 'late' });
    const lateSince = performance.now();
    await until('the other tenant to be served', () => arrivedAt('late').length === 10, 10_000);
    expect(performance.now() - lateSince).toBeLessThan(5_000);
    expect(await waiting()).toBeGreaterThan(10_000);

    await insertBacklog(client, { tenants: 1_000, deliveries: 1, users: 1, prefix: 'many' });
    await until('every one of 1,000 tenants to be served', () => arrivedAt('many').length === 1_000, 60_000);
    expect(await waiting()).toBeGreaterThan(10_000);
  }, 180_000);
});
