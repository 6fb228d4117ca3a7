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
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example', LIMIT_PER_USER_PER_DAY: '50' },
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
    expect((await get()).body).toEqual({
      at: NOW,
      channels: { email: none, sms: none, push: none },
      limits: { per_user_per_hour: 7, per_user_per_day: 50, global_per_minute: 0 },
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
