import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { insertBacklog } from '../../../test/support/backlog.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { ProcessingService } from '../../delivery/admin/processing.js';

/** E8: process pending deliveries now. */
let catcher: MailCatcher;
let world: World;
let cast: Cast;

beforeAll(async () => {
  catcher = await startMailCatcher();
  world = await createWorld({
    env: {
      VIGIE_ROLES: 'web,worker,scheduler',
      ...mailEnvironment(catcher),
      // So that only a request starts a round soon.
      DISPATCH_INTERVAL_SECONDS: '60',
    },
  });
  cast = await createCast(world);
});
afterAll(async () => {
  await world.close();
  await catcher.close();
});

const process = (query: string, token = cast.admin.token) =>
  world.http('POST', `/api/v1/admin/process${query}`, { token });

/** Puts deliveries of these users into a tenant of the cast, without waking the dispatcher. */
async function pending(tenantId: string, count: number): Promise<void> {
  const [id] = await insertBacklog(
    { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
    { tenants: 1, deliveries: count, users: count, prefix: `process-${Math.random().toString(36).slice(2)}` },
  );
  // Deliveries stay with their notifications, and those with their users: move all of them.
  await world.sql(
    `WITH n AS (
       INSERT INTO notifications (tenant_id, recipient, dedupe_key, kind, severity, data, audience, created_at)
       SELECT $1, 'mailto:' || d.address, d.id::text, 'event', 'info', '{"title": "Message"}', 'addressed', now()
       FROM deliveries d WHERE d.tenant_id = $2 RETURNING id, recipient, dedupe_key)
     INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at, created_at)
     SELECT $1, n.id, n.recipient, false, 'email', substring(n.recipient FROM 8), now(), now() FROM n`,
    [tenantId, id],
  );
  await world.sql('DELETE FROM tenants WHERE id = $1', [id]);
}

test('an admin’s own: requests a round at once and, with wait, answers with the outcome', async () => {
  await pending(cast.tenant_id, 3);
  await pending(cast.other.tenant.id, 2);
  const answer = await process('?wait=true');
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    run_id: null,
    state: 'succeeded',
    counts: { due: 3, sent: 3, failed: 0, cancelled: 0, deferred: 0, waiting: 0 },
    paused: [],
  });
  await catcher.waitFor(5);
});

test('is the same service as the trigger of dispatch, with the same answer', async () => {
  await pending(cast.tenant_id, 2);
  const answer = await world.http('POST', '/api/v1/admin/scheduler/dispatch/trigger?wait=true', {
    token: cast.admin.token,
  });
  expect(answer).toMatchObject({ status: 200, body: { counts: { due: 2, sent: 2 } } });
  const nothing = [
    await process('?wait=true'),
    await world.http('POST', '/api/v1/admin/scheduler/dispatch/trigger?wait=true', {
      token: cast.admin.token,
    }),
  ];
  expect(nothing[0]!.text).toBe(nothing[1]!.text);
});

test('an operator’s: of one tenant, or all', async () => {
  await pending(cast.tenant_id, 1);
  const one = await process(`?wait=true&tenant=${cast.tenant.slug}`, cast.operator.token);
  expect(one.body).toMatchObject({ counts: { due: 1, sent: 1 } });
  await pending(cast.tenant_id, 2);
  await pending(cast.other.tenant.id, 2);
  const all = await process('?wait=true', cast.operator.token);
  expect(all).toMatchObject({ status: 200, body: { counts: { due: 4, sent: 4 } } });
});

test('hours and limits apply: deferred deliveries are counted', async () => {
  await world.sql(`UPDATE tenants SET settings = '{"limits": {"per_user_per_hour": 1}}' WHERE id = $1`, [
    cast.tenant_id,
  ]);
  await pending(cast.tenant_id, 2);
  await world.sql(`UPDATE deliveries SET recipient = 'mailto:one@example.com' WHERE state = 'pending'`);
  const answer = await process('?wait=true');
  await world.sql(`UPDATE tenants SET settings = '{}' WHERE id = $1`, [cast.tenant_id]);
  expect(answer).toMatchObject({
    status: 200,
    body: { counts: { due: 2, sent: 1, deferred: 1, waiting: 0 } },
  });
});

test('without wait it answers at once', async () => {
  await pending(cast.other.tenant.id, 1);
  const answer = await process('', cast.other.outsider.token);
  expect(answer.status).toBe(202);
  expect(answer.body.counts.due).toBe(1);
});

test('H6: the wait ends when the client disconnects', async () => {
  await world.sql(`UPDATE channels SET paused = true WHERE channel = 'email'`);
  await pending(cast.tenant_id, 1);
  const client = new AbortController();
  const waiting = world.app.get(ProcessingService).process(cast.tenant_id, 60_000, client.signal);
  client.abort();
  // Otherwise the wait would exceed the time-out of this test.
  expect(await waiting).toMatchObject({ processed: { due: 1, waiting: 1 }, paused: ['email'] });
  await world.sql(`UPDATE channels SET paused = false WHERE channel = 'email'`);
});

test('an unauthorized caller is refused, and nobody reaches another tenant', async () => {
  expect((await process('', cast.teammate.token)).status).toBe(403);
  expect((await world.http('POST', '/api/v1/admin/process')).status).toBe(401);
  expect((await process(`?tenant=${cast.other.tenant.slug}`)).status).toBe(404);
  expect((await process('?tenant=nobody', cast.operator.token)).status).toBe(404);
  expect((await process('?wait=perhaps')).status).toBe(400);
  await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [cast.other.tenant.id]);
  const suspended = await process(`?tenant=${cast.other.tenant.slug}`, cast.operator.token);
  await world.sql('UPDATE tenants SET suspended_at = NULL');
  expect(suspended).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
});
