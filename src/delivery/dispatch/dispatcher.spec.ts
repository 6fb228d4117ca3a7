import { insertBacklog } from '../../../test/support/backlog.js';
import { waitsForAdvisoryLock } from '../../../test/support/locks.js';
import { startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { Queues } from '../../platform/queues/queues.js';
import { Deferring } from './deferring.js';
import { Dispatcher } from './dispatcher.js';
import { Leases } from '../sending/leases.js';
import { Outbox } from '../outbox.js';

const HOUR = 3_600_000;

/** E5, E6, V4, V5: who is admitted, in which order, and until when others are deferred. */
describe('the dispatcher', () => {
  // A Wednesday, 10:00 in Paris.
  const clock = new FixedClock('2026-11-18T09:00:00.000Z');
  let world: World;
  let dispatcher: Dispatcher;

  beforeAll(async () => {
    world = await createWorld({
      clock,
      env: {
        SMTP_HOST: '127.0.0.1',
        SMTP_FROM_EMAIL: 'vigie@vigie.example',
        LIMIT_PER_USER_PER_HOUR: '3',
        LIMIT_PER_USER_PER_DAY: '5',
      },
    });
    dispatcher = world.app.get(Dispatcher);
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    clock.set(new Date('2026-11-18T09:00:00.000Z'));
    await world.sql('DELETE FROM tenants');
    await world.sql('UPDATE channels SET paused = false, cursor_tenant_id = NULL');
    await concurrency(2);
  });

  const concurrency = async (value: number) => {
    await world.sql('DELETE FROM workers');
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', $1, now())`, [value]);
  };
  const backlog = async (tenants: number, deliveries: number, prefix: string, users = 1) => {
    const ids = await insertBacklog(
      { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
      { tenants, deliveries, users, prefix },
    );
    await world.sql('UPDATE deliveries SET due_at = $1, created_at = $1', [clock.now()]);
    return ids;
  };
  const admitted = async () =>
    world.sql<{ slug: string; count: number }>(
      `SELECT t.slug, count(*) FROM deliveries d JOIN tenants t ON t.id = d.tenant_id
       WHERE d.state = 'queued' GROUP BY t.slug ORDER BY t.slug`,
    );
  const finishAll = () =>
    world.sql(`UPDATE deliveries SET state = 'sent', sent_at = now(), ended_at = now(), lease_token = NULL,
               lease_until = NULL WHERE state = 'queued'`);

  it('admits at most 4 messages per concurrent send of the live workers', async () => {
    await backlog(1, 30, 'one', 30);
    expect(await dispatcher.round('email')).toEqual({ admitted: 8, deferred: 0 });
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 0 });
  });

  it('admits nothing when no worker is alive', async () => {
    await backlog(1, 3, 'one', 3);
    await world.sql(`UPDATE workers SET seen_at = now() - interval '1 minute'`);
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 0 });
  });

  it('takes turns of one message, and limits a tenant to half of the window while others wait', async () => {
    await backlog(1, 30, 'flood', 30);
    await backlog(1, 30, 'other', 30);
    await dispatcher.round('email');
    await dispatcher.round('email');
    expect(await admitted()).toEqual([
      { slug: 'flood-1', count: 4 },
      { slug: 'other-1', count: 4 },
    ]);
  });

  it('continues after the last tenant that was served: all 50 get their turn', async () => {
    await backlog(50, 3, 'many', 3);
    const served = new Set<string>();
    for (let round = 0; round < 7; round += 1) {
      await dispatcher.round('email');
      for (const { slug } of await admitted()) served.add(slug);
      await finishAll();
    }
    expect(served.size).toBe(50);
  });

  it('admits critical ones first', async () => {
    await backlog(1, 30, 'one', 30);
    await world.sql(`UPDATE deliveries SET critical = true, due_at = due_at + interval '1 second'
                     WHERE id IN (SELECT id FROM deliveries ORDER BY id DESC LIMIT 3)`);
    clock.advance(2_000);
    await dispatcher.round('email');
    const [row] = await world.sql(`SELECT count(*) FROM deliveries WHERE critical AND state = 'queued'`);
    expect(row).toEqual({ count: 3 });
  });

  it('defers messages over a recipient’s hourly limit until the hour has passed, and drops none', async () => {
    await concurrency(10);
    await backlog(1, 10, 'one', 1);
    expect(await dispatcher.round('email')).toEqual({ admitted: 3, deferred: 7 });
    const rows = await world.sql(
      `SELECT DISTINCT due_at, defer_reason FROM deliveries WHERE state = 'pending'`,
    );
    expect(rows).toEqual([
      { due_at: new Date(clock.now().getTime() + HOUR), defer_reason: 'limit_per_user_per_hour' },
    ]);

    await finishAll();
    clock.advance(HOUR);
    // 5 a day: two of the seven may leave, the rest wait until the day has passed.
    expect(await dispatcher.round('email')).toEqual({ admitted: 2, deferred: 5 });
    const later = await world.sql(`SELECT DISTINCT due_at FROM deliveries WHERE state = 'pending'`);
    expect(later).toEqual([{ due_at: new Date(clock.now().getTime() - HOUR + 24 * HOUR) }]);
  });

  it('defers each message over a tenant’s limit until its own place is free', async () => {
    const [id] = await backlog(1, 8, 'one', 8);
    await world.sql(`UPDATE tenants SET limit_per_hour = 3 WHERE id = $1`, [id]);
    const began = clock.now().getTime();
    // One at 0 s, one at 1 s, one at 2 s.
    for (let second = 0; second < 3; second++) {
      await world.sql(`UPDATE deliveries SET due_at = $1 WHERE state = 'pending'`, [clock.now()]);
      await world.sql(
        `UPDATE deliveries SET due_at = $1 WHERE state = 'pending'
         AND id <> (SELECT id FROM deliveries WHERE state = 'pending' ORDER BY id LIMIT 1)`,
        [new Date(began + HOUR)],
      );
      expect(await dispatcher.round('email')).toEqual({ admitted: 1, deferred: 0 });
      clock.advance(1_000);
    }
    await finishAll();
    await world.sql(`UPDATE deliveries SET due_at = $1 WHERE state = 'pending'`, [clock.now()]);
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 5 });
    const rows = await world.sql<{ due_at: Date }>(
      `SELECT due_at FROM deliveries WHERE state = 'pending' ORDER BY due_at`,
    );
    const [first, second, third] = [began, began + 1_000, began + 2_000];
    expect(rows.map(({ due_at }) => due_at.getTime())).toEqual([
      ...[first + HOUR, second + HOUR, third + HOUR],
      ...[first + 2 * HOUR, second + 2 * HOUR],
    ]);
  });

  it('does not count a retried delivery against its own limit', async () => {
    await concurrency(10);
    await backlog(1, 3, 'one', 1);
    expect(await dispatcher.round('email')).toEqual({ admitted: 3, deferred: 0 });
    await world.sql(
      `UPDATE deliveries SET state = 'pending', attempts = 1, lease_token = NULL, lease_until = NULL`,
    );
    expect(await dispatcher.round('email')).toEqual({ admitted: 3, deferred: 0 });
  });

  it('does not admit a retry while its tenant is over a limit that was lowered', async () => {
    await concurrency(10);
    const [id] = await backlog(1, 3, 'one', 3);
    expect(await dispatcher.round('email')).toEqual({ admitted: 3, deferred: 0 });
    await world.sql(
      `UPDATE deliveries SET state = 'pending', attempts = 1, lease_token = NULL, lease_until = NULL`,
    );
    await world.sql(`UPDATE tenants SET limit_per_hour = 2 WHERE id = $1`, [id]);
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 3 });
    await world.sql(`UPDATE tenants SET limit_per_hour = 3 WHERE id = $1`, [id]);
    await world.sql(`UPDATE deliveries SET due_at = $1`, [clock.now()]);
    expect(await dispatcher.round('email')).toEqual({ admitted: 3, deferred: 0 });
  });

  it('continues if a tenant’s hours cannot be computed', async () => {
    const [broken] = await backlog(1, 1, 'broken', 1);
    await backlog(1, 1, 'sound', 1);
    await world.sql(
      `UPDATE tenants SET time_zone = 'Atlantis/Capital',
         settings = '{"operating_hours": {"days": [1], "from": "08:00", "to": "09:00"}}' WHERE id = $1`,
      [broken],
    );
    expect(await dispatcher.round('email')).toEqual({ admitted: 1, deferred: 1 });
    expect(await admitted()).toEqual([{ slug: 'sound-1', count: 1 }]);
  });

  it('exempts critical ones from limits and hours', async () => {
    await concurrency(10);
    const [id] = await backlog(1, 10, 'one', 1);
    await world.sql(
      `UPDATE tenants SET settings = '{"operating_hours": {"days": [1], "from": "08:00", "to": "09:00"}}'
                     WHERE id = $1`,
      [id],
    );
    await world.sql('UPDATE deliveries SET critical = true');
    expect(await dispatcher.round('email')).toEqual({ admitted: 10, deferred: 0 });
  });

  it('defers to the next operating hours in the tenant’s zone, and decides again when they change', async () => {
    const [id] = await backlog(1, 1, 'one', 1);
    const settings = (from: string, to: string) =>
      world.sql(`UPDATE tenants SET settings = $2 WHERE id = $1`, [
        id,
        { operating_hours: { days: [1, 2, 3, 4, 5], from, to } },
      ]);
    await settings('14:00', '18:00');
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 1 });
    expect(await world.sql('SELECT due_at, defer_reason FROM deliveries')).toEqual([
      { due_at: new Date('2026-11-18T13:00:00.000Z'), defer_reason: 'operating_hours' },
    ]);

    await settings('09:00', '18:00');
    await world.app.get(Database).tenant(id ?? '', (tx) => world.app.get(Outbox).reconsider(tx, null));
    expect(await dispatcher.round('email')).toEqual({ admitted: 1, deferred: 0 });
  });

  it('decides again even on messages that a round was deferring when the hours changed', async () => {
    const [id = ''] = await backlog(1, 1, 'one', 1);
    await world.sql(
      `UPDATE tenants SET settings = '{"operating_hours": {"days": [1], "from": "08:00", "to": "09:00"}}'`,
    );
    const changing: Promise<void>[] = [];
    const defer = jest.spyOn(Deferring.prototype, 'defer').mockImplementationOnce(async (...call) => {
      changing.push(
        world.app.get(Database).tenant(id, async (tx) => {
          await tx.execute(`UPDATE tenants SET settings = '{}' WHERE id = $1`, [id]);
          await world.app.get(Outbox).reconsider(tx, null);
        }),
      );
      await until('the change of settings to wait for the round', () => waitsForAdvisoryLock(world));
      await world.app.get(Deferring).defer(...call);
    });
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 1 });
    expect(defer).toHaveBeenCalledTimes(2);
    await Promise.all(changing);
    expect(await dispatcher.round('email')).toEqual({ admitted: 1, deferred: 0 });
    defer.mockRestore();
  });

  it('defers to the end of the recipient’s quiet hours, in their own zone', async () => {
    await backlog(1, 1, 'one', 1);
    // 18:00 in Tokyo.
    await world.sql(`UPDATE users SET time_zone = 'Asia/Tokyo'`);
    await world.sql(`INSERT INTO quiet_hours SELECT tenant_id, id, '17:30', '07:00' FROM users`);
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 1 });
    expect(await world.sql('SELECT due_at, defer_reason FROM deliveries')).toEqual([
      { due_at: new Date('2026-11-18T22:00:00.000Z'), defer_reason: 'quiet_hours' },
    ]);
  });

  it('skips suspended tenants and paused channels, and serves them once they resume', async () => {
    await backlog(1, 2, 'one', 2);
    await world.sql('UPDATE tenants SET suspended_at = now()');
    expect((await dispatcher.round('email')).admitted).toBe(0);
    await world.sql('UPDATE tenants SET suspended_at = NULL');
    await world.sql('UPDATE channels SET paused = true');
    expect((await dispatcher.round('email')).admitted).toBe(0);
    await world.sql('UPDATE channels SET paused = false');
    expect((await dispatcher.round('email')).admitted).toBe(2);
  });

  describe('leases', () => {
    interface Leased extends Record<string, unknown> {
      tenant_id: string;
      bundle_id: string;
      lease_token: string;
    }
    const leased = async (): Promise<Leased> => {
      await backlog(1, 1, 'leased', 1);
      await dispatcher.round('email');
      const [job] = await world.sql<Leased>(
        `SELECT tenant_id, bundle_id, lease_token FROM deliveries WHERE state = 'queued'`,
      );
      if (job === undefined) throw new Error('nothing was admitted');
      return job;
    };
    const row = async () =>
      (await world.sql('SELECT state, attempts, ambiguities, lease_token FROM deliveries'))[0];
    const expire = () => world.sql(`UPDATE deliveries SET lease_until = now() - interval '1 second'`);
    const leases = () => world.app.get(Leases);
    const sent = { state: 'sent', subject: 'Subject', text: 'Text' } as const;

    it('are claimed once, and only with their token', async () => {
      const job = await leased();
      expect(await leases().claim({ ...job, lease_token: '00000000-0000-4000-8000-000000000000' })).toBe(
        false,
      );
      const both = await Promise.all([leases().claim(job), leases().claim(job)]);
      expect(both[0]).toMatchObject({
        ...{ bundle_id: job.bundle_id, attempts: 1, address: 'user1@leased-1.example' },
        items: [{ delivery_id: job.bundle_id, kind: 'event' }],
      });
      expect(both[1]).toBe(false);
      expect(await leases().claim(job)).toBe(false);
    });

    it('that expired before a claim are requeued without counting an attempt', async () => {
      await leased();
      await expire();
      expect(await leases().reap()).toEqual({ requeued: 1, ambiguous: 0 });
      expect(await row()).toEqual({ state: 'pending', attempts: 0, ambiguities: 0, lease_token: null });
    });

    it('that expired before a later attempt still count the first one', async () => {
      const first = await leased();
      await leases().claim(first);
      await expire();
      await leases().reap();
      await dispatcher.round('email');
      await expire();
      expect(await leases().reap()).toEqual({ requeued: 1, ambiguous: 0 });
      expect(await world.sql('SELECT state, attempts, admitted_at FROM deliveries')).toEqual([
        { state: 'pending', attempts: 1, admitted_at: expect.any(Date) },
      ]);
    });

    it('that expired while sending are repeated once, then left for a person; stale outcomes are refused', async () => {
      const first = await leased();
      await leases().claim(first);
      await expire();
      expect(await leases().reap()).toEqual({ requeued: 0, ambiguous: 1 });
      expect(await row()).toMatchObject({ state: 'pending', attempts: 1, ambiguities: 1 });
      expect(await leases().record(first, { ...sent, provider_id: null })).toBe(false);

      await dispatcher.round('email');
      const [second] = await world.sql<Leased>(
        `SELECT tenant_id, bundle_id, lease_token FROM deliveries WHERE state = 'queued'`,
      );
      await leases().claim(second!);
      await expire();
      await leases().reap();
      expect(await row()).toMatchObject({ state: 'unknown', attempts: 2, ambiguities: 2 });
    });

    it('are suppressed instead of claimed if the fact has ended', async () => {
      const job = await leased();
      await world.sql(
        `WITH a AS (
           INSERT INTO alerts (tenant_id, kind, severity, source_type, dedupe_key, first_seen_at,
                               last_seen_at, state, resolved_at, gone_at)
           VALUES ($1, 'event', 'info', 'test', 'gone', now(), now(), 'resolved', now(), now())
           RETURNING id)
         UPDATE notifications SET alert_id = (SELECT id FROM a)`,
        [job.tenant_id],
      );
      expect(await leases().claim(job)).toBe(false);
      expect(await row()).toEqual({ state: 'suppressed', attempts: 0, ambiguities: 0, lease_token: null });
    });

    it('record a sent message once', async () => {
      const job = await leased();
      await leases().claim(job);
      expect(await leases().record(job, { ...sent, provider_id: 'p' })).toBe(true);
      expect(await leases().record(job, { state: 'failed', error: 'late' })).toBe(false);
      expect(await row()).toMatchObject({ state: 'sent', attempts: 1 });
    });
  });
});

it('F4: the dispatcher admits nothing while Redis is away, and goes on when it is back', async () => {
  const redis = await startRedis();
  const world = await createWorld({
    env: { REDIS_URL: redis.url, SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
  let again: { stop(): Promise<void> } | undefined;
  try {
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 2, now())`);
    await insertBacklog(
      { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
      { tenants: 1, deliveries: 3, users: 3, prefix: 'one' },
    );
    const dispatcher = world.app.get(Dispatcher);
    await redis.stop();
    await until('the lost connection', async () => !(await world.app.get(Queues).isConnected('send-mail')));
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 0, wait_ms: 500 });
    again = await startRedis([], redis.port);
    await until('the admission', async () => (await dispatcher.round('email')).admitted === 3);
  } finally {
    await world.close();
    await again?.stop();
  }
});
