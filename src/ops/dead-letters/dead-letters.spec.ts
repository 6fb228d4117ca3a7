import pg from 'pg';
import { insertBacklog } from '../../../test/support/backlog.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { notify } from '../../notifications/alerts/notify.fixture.js';
import { DeadLetterActs } from '../../delivery/admin/dead-letter-acts.js';
import { REQUEUE_DEAD } from '../../delivery/transitions/dead-letters.sql.js';
import { SystemClock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';

/** E13: requeuing and discarding dead letters: one, many, or all with one cause. */

const REFUSED = '550 5.1.1 <a1@firm.example>: no such user 4b12e9fd7712';
const FULL = '452 4.2.2 Mailbox full';
let world: World;
let cast: Cast;
let tenants: string[];

beforeAll(async () => {
  world = await createWorld({
    env: { VIGIE_ROLES: 'web', SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
  cast = await createCast(world);
});
afterAll(() => world.close());

const sql = {
  query: async (text: string, values?: unknown[]) => ({ rows: (await world.sql(text, values)) as never }),
};
/** Dead letters of two tenants, with two causes. */
async function fail(deliveries: number, prefix: string): Promise<void> {
  tenants = await insertBacklog(sql, { tenants: 2, deliveries, prefix });
  await world.sql(
    `UPDATE deliveries SET state = 'failed', attempts = 3, ended_at = now() - interval '1 hour',
            error = CASE WHEN tenant_id = $1 THEN $2 ELSE $3 END
     WHERE tenant_id = ANY ($4)`,
    [tenants[0], REFUSED, FULL, tenants],
  );
}
const states = async () =>
  Object.fromEntries(
    (
      await world.sql<{ state: string; count: string }>(
        `SELECT state, count(*) AS count FROM deliveries WHERE tenant_id = ANY ($1) GROUP BY state`,
        [tenants],
      )
    ).map(({ state, count }) => [state, Number(count)]),
  );
const post = (act: string, body: object, token = cast.operator.token, query = '') =>
  world.http('POST', `/api/v1/admin/dead-letters/${act}${query}`, { token, body });
const get = (path: string, token = cast.operator.token) =>
  world.http('GET', `/api/v1/admin/dead-letters${path}`, { token });

it('E13: requeues all of a cause, and nothing else; each delivery has an event', async () => {
  await fail(5, 'cause');
  const { body: list } = await get('');
  const listed = (list.data as { channel: string; cause: string; reason: null; count: number }[]).find(
    ({ cause }) => cause.startsWith('550'),
  )!;
  expect(listed).toMatchObject({ cause: '550 5.1.1 … no such user …', count: 5 });
  const { channel, cause, reason } = listed;
  const { status, body } = await post('requeue', { channel, cause, reason });
  expect([status, body]).toEqual([
    202,
    expect.objectContaining({
      act: 'requeue',
      state: 'succeeded',
      total: 5,
      done: 5,
      by: `operator:${cast.operator.id}`,
    }),
  ]);
  expect(await states()).toEqual({ pending: 5, failed: 5 });
  const events = await world.sql(
    `SELECT DISTINCT event, reason, attempt FROM delivery_events WHERE tenant_id = $1`,
    [tenants[0]],
  );
  expect(events).toEqual([{ event: 'reset', reason: 'retried_by_operator', attempt: 0 }]);
  const [again] = await world.sql(
    `SELECT attempts, reason, error FROM deliveries WHERE tenant_id = $1 LIMIT 1`,
    [tenants[0]],
  );
  expect(again).toMatchObject({ attempts: 0, reason: null });
  // Again: nothing is left.
  expect((await post('requeue', { channel, cause, reason })).body).toMatchObject({
    total: 0,
    done: 0,
    state: 'succeeded',
  });
});

it('E13: discards some by id with a reason, which their history keeps; the act is audited', async () => {
  const rows = await world.sql<{ id: string }>(`SELECT id FROM deliveries WHERE tenant_id = $1 ORDER BY id`, [
    tenants[1],
  ]);
  const ids = rows.slice(0, 2).map(({ id }) => id);
  const why = 'The client has left; ask bob@firm.example';
  const { body } = await post('discard', { ids, why });
  expect(body).toMatchObject({ act: 'discard', state: 'succeeded', total: 2, done: 2, why });
  expect(await states()).toEqual({ pending: 5, failed: 3, cancelled: 2 });
  const events = await world.sql(
    `SELECT event, reason, attempt, error FROM delivery_events WHERE tenant_id = $1 AND delivery_id = ANY ($2)`,
    [tenants[1], ids],
  );
  expect(events).toEqual(
    ids.map(() => ({
      event: 'cancelled',
      reason: 'discarded',
      attempt: 3,
      error: 'The client has left; ask …',
    })),
  );
  const logged = await world.sql(
    `SELECT actor, status FROM installation_audit_log WHERE action LIKE '%dead-letters/discard%'`,
  );
  expect(logged).toEqual([{ actor: `operator:${cast.operator.id}`, status: 202 }]);
  // Of a tenant only, and of a channel without dead letters.
  const [other] = await world.sql<{ slug: string }>(`SELECT slug FROM tenants WHERE id = $1`, [tenants[0]]);
  expect(
    (await post('discard', { channel: 'email', why }, undefined, `?tenant=${other!.slug}`)).body,
  ).toMatchObject({
    total: 0,
  });
  expect((await post('discard', { channel: 'sms', why })).body).toMatchObject({ total: 0 });
});

it('E13: the trace of a notification shows that it was discarded, and why', async () => {
  const id = await notify(world, cast.teammate);
  const [delivery] = await world.sql<{ id: string }>(
    `UPDATE deliveries SET state = 'failed', attempts = 3, ended_at = now(), error = $2 WHERE notification_id = $1 RETURNING id`,
    [id, FULL],
  );
  await post('discard', { ids: [delivery!.id], why: 'sent by post' });
  const { status, body } = await world.http('GET', `/api/v1/notifications/${id}/trace`, {
    token: cast.admin.token,
  });
  expect(status).toBe(200);
  expect(JSON.stringify(body)).toMatch(/"discarded"/);
  expect(JSON.stringify(body)).toMatch(/sent by post/);
});

it('E13: skips deliveries without a recipient', async () => {
  await world.sql(`UPDATE deliveries SET address = '' WHERE tenant_id = $1 AND state = 'failed'`, [
    tenants[1],
  ]);
  expect((await post('requeue', { channel: 'email' })).body).toMatchObject({
    total: 3,
    done: 0,
    state: 'succeeded',
  });
  expect(await states()).toMatchObject({ failed: 3 });
});

it('E13: a requeue in bulk answers at once, shows its progress, and another process continues it', async () => {
  await fail(3_000, 'bulk');
  // The statistics do not have these failures yet: only the choice may use the index of failed ones, not a join.
  const chosen = [null, null, ['email'], null, null, new Date(0), new Date(), new Date(), 2_000];
  const plan = JSON.stringify(await world.sql(`EXPLAIN ${REQUEUE_DEAD}`, chosen));
  expect(plan.match(/deliveries_failed/g)).toHaveLength(1);
  const acts = world.app.get(DeadLetterActs);
  const { body } = await post('requeue', { channel: 'email' });
  expect(body).toMatchObject({ state: 'running', total: 6_003, done: 2_000 });
  await until('the end of the act', async () => {
    const { body: list } = await get('/acts');
    return (list.data as { state: string }[])[0]?.state === 'succeeded';
  });
  expect(await states()).toEqual({ pending: 6_000 });
  const { body: list } = await get('/acts');
  expect(list.data[0]).toMatchObject({ id: body.id, done: 6_000, total: 6_003 });

  // Its process was killed after the first chunk: the row says where to continue.
  await world.sql(
    `UPDATE deliveries SET state = 'failed', ended_at = now() - interval '1 minute' WHERE tenant_id = ANY ($1)`,
    [tenants],
  );
  await world.sql(
    `INSERT INTO dead_letter_acts (act, channel, since, by, total, done, created_at)
     VALUES ('requeue', 'email', now() - interval '1 day', 'operator:x', 6000, 0, now())`,
  );
  const others = new DeadLetterActs(
    world.app.get(SystemDatabase),
    { send: () => undefined } as never,
    new SystemClock(),
    { ...world.config, roles: [] },
    { onBegin: () => undefined } as never,
  );
  await Promise.all([acts.resume(), others.resume()]);
  await until('the end of the act', async () => (await acts.list(null))[0]?.state === 'succeeded');
  expect((await acts.list(null))[0]).toMatchObject({ done: 6_000 });
  expect(await states()).toEqual({ pending: 6_000 });
  await others.beforeApplicationShutdown();
});

it('E13: an admin lists, requeues and discards those of the own tenant only', async () => {
  await world.sql(`UPDATE deliveries SET state = 'failed', ended_at = now() WHERE tenant_id = ANY ($1)`, [
    tenants,
  ]);
  const id = await notify(world, cast.teammate);
  const [own] = await world.sql<{ id: string }>(
    `UPDATE deliveries SET state = 'failed', attempts = 3, ended_at = now(), error = $2 WHERE notification_id = $1 RETURNING id`,
    [id, FULL],
  );
  const { token } = cast.admin;
  expect((await get('', token)).body.data).toEqual([
    expect.objectContaining({ channel: 'email', cause: FULL, count: 1, tenants: 1 }),
  ]);
  const [foreign] = await world.sql<{ id: string }>(
    `SELECT id FROM deliveries WHERE tenant_id = $1 LIMIT 1`,
    [tenants[0]],
  );
  expect((await post('requeue', { ids: [foreign!.id] }, token)).body).toMatchObject({ total: 0, done: 0 });
  const { body: act } = await post('requeue', { channel: 'email' }, token);
  expect(act).toMatchObject({ tenant_id: cast.tenant_id, total: 1, done: 1, by: `user:${cast.admin.id}` });
  expect(await states()).toEqual({ failed: 6_000 });
  await world.sql(`UPDATE deliveries SET state = 'failed', ended_at = now() WHERE id = $1`, [own!.id]);
  expect((await post('discard', { ids: [own!.id], why: 'sent by post' }, token)).body).toMatchObject({
    done: 1,
  });
  const shown = (await get('/acts', token)).body.data as { tenant_id: string }[];
  expect(new Set(shown.map(({ tenant_id }) => tenant_id))).toEqual(new Set([cast.tenant_id]));
  expect(shown).toHaveLength(3);
  expect((await get('/acts')).body.data.length).toBeGreaterThan(3);
  // Another tenant's, by its name.
  const [other] = await world.sql<{ slug: string }>(`SELECT slug FROM tenants WHERE id = $1`, [tenants[0]]);
  const query = `?tenant=${other!.slug}`;
  expect((await post('requeue', { channel: 'email' }, token, query)).status).toBe(404);
  expect((await get(`?tenant=${other!.slug}`, token)).status).toBe(404);
});

it('E13: a requeue waits for its other chunks, and a locked row does not end it early', async () => {
  const failed = (set: string) =>
    world.sql(`UPDATE deliveries SET state = 'failed', ended_at = now() ${set} WHERE tenant_id = ANY ($1)`, [
      tenants,
    ]);
  await failed('');
  const holder = new pg.Client({ connectionString: world.config.databaseUrl ?? '' });
  await holder.connect();
  await holder.query('BEGIN');
  const { rows } = await holder.query<{ id: string }>(
    `SELECT id FROM deliveries WHERE tenant_id = ANY ($1) LIMIT 1 FOR UPDATE`,
    [tenants],
  );
  const acts = world.app.get(DeadLetterActs);
  const all = { tenant_id: null, ids: null, channel: 'email', cause: null, reason: null } as const;
  const { id } = await acts.begin('requeue', { ...all, since: new Date(0) }, { by: 'cli', why: null });
  expect(await acts.finish(id)).toMatchObject({ state: 'succeeded', done: 5_999 });
  expect(await states()).toEqual({ pending: 5_999, failed: 1 });
  await holder.end();

  // The others of a message that may have arrived move with it, and are not counted.
  await failed(', ambiguities = 1, bundle_id = id');
  await world.sql(
    `UPDATE deliveries SET bundle_id = $1 WHERE id IN (
    SELECT id FROM deliveries WHERE tenant_id = (SELECT tenant_id FROM deliveries WHERE id = $1) LIMIT 3)`,
    [rows[0]!.id],
  );
  expect((await post('requeue', { ids: [rows[0]!.id] })).body).toMatchObject({ total: 1, done: 1 });
  expect((await states())['pending']).toBeGreaterThanOrEqual(3);
});

it('E13: members and outsiders cannot act, and a choice is required', async () => {
  for (const act of ['requeue', 'discard']) {
    const body = { channel: 'email', ...(act === 'discard' ? { why: 'because' } : {}) };
    expect((await post(act, body, cast.teammate.token)).status).toBe(403);
    expect((await post(act, body, cast.outsider.token)).body).toMatchObject({ total: 0 });
    expect((await world.http('POST', `/api/v1/admin/dead-letters/${act}`, { body })).status).toBe(401);
    expect((await post(act, act === 'discard' ? { why: 'because' } : {})).status).toBe(400);
    expect((await post(act, { ...body, ids: [] })).status).toBe(400);
    expect((await post(act, { ...body, ids: ['1'] })).status).toBe(400);
    expect((await post(act, body, undefined, '?tenant=nobody')).status).toBe(404);
  }
  expect((await post('discard', { channel: 'email' })).status).toBe(400);
  for (const path of ['', '/acts']) {
    expect((await get(path, cast.teammate.token)).status).toBe(403);
    expect((await world.http('GET', `/api/v1/admin/dead-letters${path}`)).status).toBe(401);
  }
});
