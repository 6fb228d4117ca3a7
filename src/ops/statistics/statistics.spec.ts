import { randomUUID } from 'node:crypto';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { notify } from '../../notifications/alerts/notify.fixture.js';

const NOW = '2026-03-30T12:00:00.000Z';

/** E13: statistics of a tenant's deliveries. */
describe('GET admin/statistics', () => {
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld({
      clock: new FixedClock(NOW),
      env: {
        SMTP_HOST: '127.0.0.1',
        SMTP_FROM_EMAIL: 'vigie@vigie.example',
        LIMIT_PER_USER_PER_DAY: '50',
        LIMIT_EMAIL_PER_MINUTE: '9',
      },
    });
    cast = await createCast(world);
    await world.sql(`UPDATE tenants SET settings = '{"limits": {"per_user_per_hour": 7}}' WHERE id = $1`, [
      cast.tenant_id,
    ]);
  });
  afterAll(() => world.close());

  const get = (query = '', token = cast.admin.token) =>
    world.http('GET', `/api/v1/admin/statistics${query}`, { token });

  /** Adds a delivery of the tenant in a state that ended (or became due) so many minutes ago. */
  async function put(state: string, minutesAgo: number, critical = false): Promise<void> {
    const id = await notify(world, cast.teammate, { severity: critical ? 'critical' : 'info' });
    const at = new Date(Date.parse(NOW) - minutesAgo * 60_000);
    const ended = !['pending', 'queued', 'sending'].includes(state);
    const leased = ['queued', 'sending'].includes(state);
    await world.sql(
      `UPDATE deliveries SET state = $2, due_at = $3, ended_at = $4, sent_at = $5, lease_token = $6,
              lease_until = CASE WHEN $6::uuid IS NOT NULL THEN now() END
       WHERE notification_id = $1`,
      [id, state, at, ended ? at : null, state === 'sent' ? at : null, leased ? randomUUID() : null],
    );
  }

  it('is empty without deliveries', async () => {
    const none = {
      totals: {
        pending: 0,
        due: 0,
        in_flight: 0,
        sent: 0,
        failed: 0,
        suppressed: 0,
        cancelled: 0,
        unknown: 0,
      },
      sent_last_hour: 0,
      sent_last_day: 0,
      failed_last_day: 0,
      success_rate: null,
      oldest_due_seconds: null,
    };
    const free = { limit: 0, used: 0, left: null };
    const quota = { tenant_hour: free, tenant_day: free, minute: { ...free, used: null } };
    expect((await get()).body).toEqual({
      at: NOW,
      channels: { email: none, sms: none, push: none, webhook: none },
      quota: {
        email: { ...quota, minute: { limit: 9, used: null, left: null } },
        sms: quota,
        push: quota,
        webhook: quota,
      },
      limits: {
        per_user_per_hour: 7,
        per_user_per_day: 50,
        per_tenant_per_hour: 0,
        per_tenant_per_day: 0,
        global_per_minute: 0,
      },
    });
  });

  it('counts by state and time, and knows the longest overdue', async () => {
    for (const minutes of [1, 30, 90, 23 * 60, 25 * 60]) await put('sent', minutes);
    await put('failed', 10);
    await put('failed', 26 * 60);
    await put('unknown', 10);
    await put('suppressed', 10);
    await put('queued', 1);
    await put('sending', 1);
    await put('pending', 5);
    await put('pending', 12, true);
    await put('pending', -60);
    const { body } = await get();
    expect(body.channels.email).toEqual({
      totals: {
        pending: 3,
        due: 2,
        in_flight: 2,
        sent: 5,
        failed: 2,
        suppressed: 1,
        cancelled: 0,
        unknown: 1,
      },
      sent_last_hour: 2,
      sent_last_day: 4,
      failed_last_day: 2,
      success_rate: 4 / 6,
      oldest_due_seconds: 12 * 60,
    });
  });

  it('E13: shows how much of the limits is used and left, per channel and period', async () => {
    await world.sql(`UPDATE tenants SET limit_per_hour = 5, limit_per_day = 3 WHERE id = $1`, [
      cast.tenant_id,
    ]);
    for (const minutes of [0.5, 30, 90]) {
      const id = await notify(world, cast.teammate, {});
      const at = new Date(Date.parse(NOW) - minutes * 60_000);
      await world.sql(`UPDATE deliveries SET admitted_at = $2 WHERE notification_id = $1`, [id, at]);
    }
    const { quota } = (await get()).body;
    expect(quota.email).toEqual({
      tenant_hour: { limit: 5, used: 2, left: 3 },
      tenant_day: { limit: 3, used: 3, left: 0 },
      minute: { limit: 9, used: null, left: null },
    });
    expect(quota.sms.tenant_hour).toEqual({ limit: 5, used: 0, left: 5 });
    const all = (await get(`?tenant=${cast.tenant.slug}`, cast.operator.token)).body.quota;
    expect(all.email.minute).toEqual({ limit: 9, used: 1, left: 8 });
    expect(all.sms.minute).toEqual({ limit: 0, used: 0, left: null });
    const own = await world.http('GET', '/api/v1/notifications/statistics', { token: cast.teammate.token });
    expect(own.body.quota.email).toMatchObject({
      hour: { limit: 7, used: 0, left: 7 },
      tenant_hour: { limit: 5, used: 2, left: 3 },
      tenant_day: { limit: 3, used: 3, left: 0 },
    });
    const page = await world.app.inject({ method: 'GET', url: '/metrics' });
    expect(page.payload).toContain('vigie_dispatch_limit_per_minute{channel="email"} 9');
    expect(page.payload).toContain('vigie_dispatch_used_last_minute{channel="email"} 1');
  });

  it('E13: by day, channel and kind, with the time from due to sent', async () => {
    await world.sql(
      `UPDATE deliveries SET due_since = sent_at - make_interval(secs => 10 * (1 + extract(hour FROM $1::timestamptz - sent_at)))
       WHERE sent_at IS NOT NULL`,
      [NOW],
    );
    const days = async (query: string, token = cast.admin.token) =>
      (await world.http('GET', `/api/v1/admin/statistics/days?${query}`, { token })).body;
    // Paris is two hours ahead: what was sent 23 and 25 hours ago belongs to the day before.
    const today = { day: '2026-03-30', channel: 'email', kind: 'event' };
    expect(await days('days=1')).toEqual({
      since: '2026-03-30',
      data: [
        // After 10, 10 and 20 s.
        { ...today, sent: 3, failed: 1, unknown: 1, not_sent: 1, p50_seconds: 10, p95_seconds: 19 },
      ],
      complete: true,
    });
    // After 240 s, and after 20 s.
    const week = await days('');
    expect(week.since).toBe('2026-03-24');
    expect(week.data[1]).toEqual({
      ...{ day: '2026-03-29', channel: 'email', kind: 'event', sent: 2, failed: 1, unknown: 0, not_sent: 0 },
      ...{ p50_seconds: 130, p95_seconds: 229 },
    });
    expect((await days('', cast.outsider.token)).data).toEqual([]);
    for (const wrong of ['0', '32', 'x', '1.5']) {
      const refused = await days(`days=${wrong}`);
      expect([wrong, refused.status, refused.code]).toEqual([wrong, 400, 'validation_failed']);
    }
  });

  it('is for the tenant’s own admin; operators name one', async () => {
    const other = await get('', cast.outsider.token);
    expect(other.body.channels.email.totals.sent).toBe(0);
    const named = await get(`?tenant=${cast.tenant.slug}`, cast.operator.token);
    expect(named.body.channels.email.totals.sent).toBe(5);
    expect((await get('', cast.operator.token)).status).toBe(400);
    expect((await get(`?tenant=${cast.other.tenant.slug}`)).status).toBe(404);
    expect((await get('', cast.teammate.token)).status).toBe(403);
  });
});
