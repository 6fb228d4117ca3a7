import pg from 'pg';
import { insertBacklog } from '../../../test/support/backlog.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { Database } from '../../platform/database/database.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { Outbox } from '../outbox.js';
import { Leases, MessageLocked } from './leases.js';

/** Far less than the leases, and than an open transaction would take. */
const SOON_MS = 3_000;
const SENT = { state: 'sent', provider_id: null, subject: 'Subject', text: 'Text' } as const;

/** H1, H2: leases across tenants never wait for a row lock, and nothing deadlocks. */
describe('row locks', () => {
  let world: World;
  let leases: Leases;
  let blocker: pg.Client;

  beforeAll(async () => {
    world = await createWorld({
      env: {
        SMTP_HOST: '127.0.0.1',
        SMTP_FROM_EMAIL: 'vigie@vigie.example',
        LIMIT_PER_USER_PER_HOUR: '0',
        LIMIT_PER_USER_PER_DAY: '0',
      },
    });
    leases = world.app.get(Leases);
    blocker = new pg.Client({ connectionString: world.config.databaseUrl ?? '' });
    await blocker.connect();
  });
  afterAll(async () => {
    await blocker.end();
    await world.close();
  });
  beforeEach(async () => {
    await world.sql('DELETE FROM tenants');
    await world.sql('DELETE FROM workers');
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 20, now() + interval '1 day')`);
  });
  afterEach(() => blocker.query('ROLLBACK'));

  const backlog = async (prefix: string, deliveries: number): Promise<string> => {
    const client = {
      query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }),
    };
    const [tenant] = await insertBacklog(client as never, { tenants: 1, deliveries, users: 1, prefix });
    return tenant ?? '';
  };
  const round = () => world.app.get(Dispatcher).round('email');
  const queued = (tenantId: string) =>
    world.sql<DeliveryJob & pg.QueryResultRow>(
      `SELECT tenant_id, bundle_id, lease_token FROM deliveries WHERE tenant_id = $1 AND state = 'queued' ORDER BY id`,
      [tenantId],
    );
  /** Like a large import: locks rows of one tenant for as long as it runs. */
  const lock = async (tenantId: string, state: string) => {
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM deliveries WHERE tenant_id = $1 AND state = $2 FOR UPDATE`, [
      tenantId,
      state,
    ]);
  };
  const soon = <Result>(work: Promise<Result>) => withTimeout(work, SOON_MS, 'it waited for a lock');

  it('H1: a claim skips rows that another transaction has locked', async () => {
    const busy = await backlog('busy', 5);
    const free = await backlog('free', 5);
    await round();
    await lock(busy, 'queued');

    const [locked, others] = await soon(
      Promise.all(
        [busy, free].map(async (tenant) =>
          Promise.all((await queued(tenant)).map((job) => leases.claim(job))),
        ),
      ),
    );
    expect(locked).toEqual([false, false, false, false, false]);
    expect(others).toHaveLength(5);
    expect(others?.every((message) => message !== false)).toBe(true);

    // The skipped message is not lost: its lease expires, and it is admitted again.
    await blocker.query('ROLLBACK');
    await world.sql(`UPDATE deliveries SET lease_until = now() - interval '1 second' WHERE tenant_id = $1`, [
      busy,
    ]);
    expect(await leases.reap()).toEqual({ requeued: 5, ambiguous: 0 });
  });

  it('H1: a round of the dispatcher skips rows that another transaction has locked', async () => {
    const busy = await backlog('busy', 5);
    const free = await backlog('free', 5);
    await lock(busy, 'pending');
    expect(await soon(round())).toEqual({ admitted: 5, deferred: 0 });
    expect(await queued(busy)).toEqual([]);
    expect(await queued(free)).toHaveLength(5);
  });

  it('H1: an outcome whose row is locked is written later, and its lease does not count as lost', async () => {
    const busy = await backlog('busy', 1);
    const free = await backlog('free', 1);
    await round();
    const [locked] = await queued(busy);
    const [other] = await queued(free);
    await Promise.all([leases.claim(locked!), leases.claim(other!)]);
    await lock(busy, 'sending');

    const renewal = await soon(leases.renew([locked!, other!]));
    expect([...renewal.renewed]).toEqual([other!.lease_token]);
    expect([...renewal.locked]).toEqual([locked!.lease_token]);
    expect(await soon(leases.record(other!, SENT))).toBe(true);
    await expect(soon(leases.record(locked!, SENT))).rejects.toBeInstanceOf(MessageLocked);
    await blocker.query('ROLLBACK');
    expect(await leases.record(locked!, SENT)).toBe(true);
  });

  it('H1: a message is claimed whole or not at all', async () => {
    const tenant = await backlog('whole', 3);
    await world.sql(`UPDATE deliveries SET bundle_key = 'together'`);
    await round();
    const [job] = await queued(tenant);
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM deliveries WHERE id = $1 FOR UPDATE`, [job!.bundle_id]);
    expect(await soon(leases.claim(job!))).toBe(false);
    await blocker.query('ROLLBACK');
    expect(await leases.claim(job!)).toMatchObject({ items: [{}, {}, {}] });
  });

  describe('H2: statements that share rows do not deadlock', () => {
    const ROWS = 40;
    const ROUNDS = 25;

    /** In a different order for each statement: PostgreSQL locks rows in the order of the parameters. */
    const shuffled = <Item>(items: readonly Item[], seed: number) =>
      [...items].sort((one, other) => order(one, seed) - order(other, seed));
    const order = (item: unknown, seed: number) =>
      Buffer.from(JSON.stringify(item)).reduce(
        (sum, byte, place) => (sum * 31 + byte * (seed + place)) % 9973,
        7,
      );

    it('claim against facts that have ended', async () => {
      const tenant = await backlog('gone', ROWS);
      const alerts = await world.sql<{ id: string }>(
        `WITH a AS (
           INSERT INTO alerts (tenant_id, kind, severity, source_type, dedupe_key, first_seen_at, last_seen_at,
                               state)
           SELECT tenant_id, 'event', 'info', 'test', id::text, now(), now(), 'open' FROM notifications
           RETURNING id, dedupe_key)
         UPDATE notifications n SET alert_id = a.id FROM a WHERE a.dedupe_key = n.id::text RETURNING a.id`,
      );
      for (let seed = 1; seed <= ROUNDS; seed += 1) {
        await world.sql(
          `UPDATE deliveries SET state = 'pending', reason = NULL, ended_at = NULL, attempts = 0, lease_token = NULL,
             lease_until = NULL, bundle_id = NULL, leads = true`,
        );
        await round();
        const jobs = await queued(tenant);
        expect(jobs).toHaveLength(ROWS);
        await Promise.all([
          ...shuffled(jobs, seed).map((job) => leases.claim(job)),
          ...[seed + 50, seed + 90].map((other) =>
            world.app.get(Database).tenant(tenant, (tx) =>
              world.app.get(Outbox).factsGone(
                tx,
                shuffled(alerts, other).map(({ id }) => id),
              ),
            ),
          ),
        ]);
      }
    });

    const recordOnceFree = async (job: DeliveryJob): Promise<boolean> => {
      for (;;) {
        try {
          return await leases.record(job, SENT);
        } catch (error) {
          if (!(error instanceof MessageLocked)) throw error;
        }
      }
    };

    it('record against renew', async () => {
      const tenant = await backlog('renew', ROWS);
      for (let seed = 1; seed <= ROUNDS; seed += 1) {
        await world.sql(
          `UPDATE deliveries SET state = 'pending', sent_at = NULL, ended_at = NULL, attempts = 0, bundle_id = NULL,
             lease_token = NULL, lease_until = NULL`,
        );
        await round();
        const jobs = await queued(tenant);
        await Promise.all(jobs.map((job) => leases.claim(job)));
        const outcomes = await Promise.all([
          ...shuffled(jobs, seed).map((job) => recordOnceFree(job)),
          ...[seed + 50, seed + 90].map((other) => leases.renew(shuffled(jobs, other))),
        ]);
        expect(outcomes).not.toContain(false);
      }
    });
  });
});
