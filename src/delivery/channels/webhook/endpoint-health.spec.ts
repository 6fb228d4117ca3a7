import { type Cast, createCast } from '../../../../test/support/cast.js';
import { runJob } from '../../../../test/support/watched.js';
import { createWorld, type World } from '../../../../test/support/world.js';
import { Webhook } from 'standardwebhooks';
import { FixedClock } from '../../../platform/clock/fixed-clock.js';
import { Receiver } from './receiver.fixture.js';
import {
  addEndpoint,
  type Admin,
  adminKey,
  LOCAL_RECEIVERS,
  report,
  sendDue,
  withWorker,
} from './webhooks.fixture.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = '2026-03-30T07:00:00.000Z';

/** V19: endpoints that fail for days. */
describe('a failing endpoint', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let cast: Cast;
  let admin: Admin;
  let receiver: Receiver;

  beforeAll(async () => {
    receiver = await Receiver.start();
    world = await createWorld({
      clock,
      env: { ...LOCAL_RECEIVERS, SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
    });
    cast = await createCast(world);
    admin = await adminKey(world, cast);
    await withWorker(world);
  });
  afterAll(async () => {
    await world.close();
    await receiver.close();
  });
  beforeEach(async () => {
    clock.set(NOW);
    for (const table of ['deliveries', 'notifications', 'alerts', 'webhook_endpoints'])
      await world.sql(`DELETE FROM ${table}`);
    receiver.forget();
    receiver.behave(204);
  });

  const http = (method: string, path: string, body?: unknown) =>
    world.http(method, `/api/v1/tenant/webhooks/${path}`, { ...admin, body });
  const delivery = async () => {
    const [row] = await world.sql<{ state: string; due_at: Date; attempts: number; reason: string | null }>(
      `SELECT state, due_at, attempts, reason FROM deliveries WHERE channel = 'webhook'`,
    );
    return row!;
  };
  const notices = async () =>
    (
      await world.sql<{ kind: string; severity: string }>(
        `SELECT n.kind FROM notifications n JOIN deliveries d ON d.notification_id = n.id
         WHERE n.kind LIKE 'webhook%' AND d.channel = 'email' ORDER BY n.id`,
      )
    ).map(({ kind }) => kind);

  it('V19: retries after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, then has failed', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(500);
    await report(world, admin, 'disk');
    const waits = [
      5 * SECOND,
      5 * MINUTE,
      30 * MINUTE,
      ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR),
    ];
    for (const [retry, wait] of waits.entries()) {
      expect(await sendDue(world)).toBe(1);
      const { state, due_at } = await delivery();
      expect(state).toBe('pending');
      const waited = due_at.getTime() - clock.now().getTime();
      expect(waited).toBeGreaterThanOrEqual(0.8 * wait);
      expect(waited).toBeLessThanOrEqual(Math.min(1.2 * wait, DAY));
      expect(receiver.calls).toHaveLength(retry + 1);
      clock.set(due_at);
    }
    expect(await sendDue(world)).toBe(1);
    expect(await delivery()).toMatchObject({ state: 'failed', attempts: 10 });
    expect(new Set(receiver.ids).size).toBe(1);
    const attempts = await http('GET', `${id}/attempts`);
    expect((attempts.body.data as { attempt: number }[]).map(({ attempt }) => attempt)).toEqual([
      10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
    ]);
  });

  it('V19: defers all deliveries of the endpoint as long as Retry-After says', async () => {
    await addEndpoint(world, admin, receiver);
    receiver.behave({ status: 429, headers: { 'retry-after': '7200' } });
    await report(world, admin, 'disk');
    await report(world, admin, 'other');
    // One call at a time, as a single worker would make them.
    await world.sql(`UPDATE deliveries SET due_at = due_at + interval '1 second' WHERE id = (SELECT max(id::text)::uuid
                     FROM deliveries WHERE channel = 'webhook')`);
    await sendDue(world);
    clock.advance(2 * SECOND);
    expect(await sendDue(world)).toBe(0);
    const due = await world.sql(`SELECT DISTINCT due_at FROM deliveries WHERE channel = 'webhook'`);
    expect(due).toEqual([{ due_at: new Date('2026-03-30T09:00:00.000Z') }]);
    expect(receiver.calls).toHaveLength(1);
  });

  it('V19: a call without an answer is repeated with the same id', async () => {
    await addEndpoint(world, admin, receiver);
    receiver.behave('reset_after_request');
    await report(world, admin, 'disk');
    for (let attempt = 0; attempt < 3; attempt++) {
      await sendDue(world);
      clock.set((await delivery()).due_at);
    }
    receiver.behave(200);
    await sendDue(world);
    expect(await delivery()).toMatchObject({ state: 'sent', attempts: 4 });
    expect(receiver.calls).toHaveLength(4);
    expect(new Set(receiver.ids).size).toBe(1);
  });

  it('V19: once it works again, its other retries become due', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(503);
    for (const key of ['a', 'b', 'c']) await report(world, admin, key);
    await sendDue(world);
    clock.advance(6 * SECOND);
    await sendDue(world);
    expect(receiver.calls).toHaveLength(6);
    receiver.behave(200);
    await report(world, admin, 'd');
    expect(await sendDue(world)).toBe(4);
    expect((await http('GET', id)).body).toMatchObject({ failing_since: null, last_error: null });
  });

  it('V19: 410 disables it at once, and notifies the admins', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(410);
    await report(world, admin, 'a');
    await sendDue(world);
    expect(await delivery()).toMatchObject({ state: 'failed', attempts: 1 });
    expect((await http('GET', id)).body).toMatchObject({
      state: 'disabled',
      state_reason: 'gone',
      state_since: NOW,
    });
    expect(await notices()).toEqual(['webhook_disabled']);
    await report(world, admin, 'b');
    expect(await sendDue(world)).toBe(0);
    const feed = await world.http('GET', '/api/v1/notifications?kind=webhook_disabled', {
      token: cast.admin.token,
    });
    expect(feed.body.data).toMatchObject([
      {
        title: 'Webhook 127.0.0.1\u00a0: désactivé',
        body: expect.stringContaining('n’existe plus') as string,
      },
    ]);
  });

  it('V19: after a day of failures admins are warned once, after five days it is disabled', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(500);
    const failed = async (after: number, key: string) => {
      clock.set(new Date(new Date(NOW).getTime() + after));
      await report(world, admin, key);
      await sendDue(world);
    };
    await failed(0, 'a');
    await failed(DAY - MINUTE, 'b');
    expect(await notices()).toEqual([]);
    await failed(DAY, 'c');
    await failed(2 * DAY, 'd');
    expect(await notices()).toEqual(['webhook_failing']);
    await failed(5 * DAY - MINUTE, 'e');
    expect((await http('GET', id)).body).toMatchObject({ state: 'enabled', failing_since: NOW });
    await failed(5 * DAY, 'f');
    expect((await http('GET', id)).body).toMatchObject({
      ...{ state: 'disabled', state_reason: 'failing', last_success_at: null },
      last_error: 'The endpoint answered 500',
    });
    expect(await notices()).toEqual(['webhook_failing', 'webhook_disabled']);
    const waiting = await world.sql(
      `SELECT id FROM deliveries WHERE channel = 'webhook' AND state IN ('pending', 'queued')`,
    );
    expect(waiting).toEqual([]);
  });

  it('V19: a corrected URL starts the count again, and makes the retries due', async () => {
    const { id } = await addEndpoint(world, admin, receiver, { kinds: ['event'], description: 'Astreinte' });
    receiver.behave(500);
    await report(world, admin, 'a');
    await sendDue(world);
    clock.advance(DAY);
    await sendDue(world);
    clock.advance(4 * DAY - MINUTE);
    await sendDue(world);
    expect(await notices()).toEqual(['webhook_failing']);
    const due = clock.now();
    expect((await delivery()).due_at.getTime()).toBeGreaterThan(due.getTime());
    expect(await http('PATCH', id, { url: receiver.url.replace('hook', 'new') })).toMatchObject({
      body: {
        ...{ state: 'enabled', failing_since: null, last_error: null, kinds: ['event'] },
        description: 'Astreinte',
      },
    });
    expect((await delivery()).due_at).toEqual(due);
    clock.advance(MINUTE);
    await sendDue(world);
    expect((await http('GET', id)).body).toMatchObject({
      state: 'enabled',
      failing_since: clock.now().toISOString(),
    });
    expect(await notices()).toEqual(['webhook_failing']);
  });

  it('V19: a success in between starts the count again', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(500);
    await report(world, admin, 'a');
    await sendDue(world);
    receiver.behave(200);
    clock.advance(23 * HOUR);
    await sendDue(world);
    receiver.behave(500);
    await report(world, admin, 'b');
    await sendDue(world);
    clock.advance(23 * HOUR);
    await sendDue(world);
    expect(await notices()).toEqual([]);
    expect((await http('GET', id)).body).toMatchObject({ failing_since: '2026-03-31T06:00:00.000Z' });
  });

  it('V19: is not disabled without a warning at least a day before', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(500);
    await report(world, admin, 'a');
    await sendDue(world);
    clock.advance(20 * DAY);
    await sendDue(world);
    expect((await http('GET', id)).body).toMatchObject({ state: 'enabled' });
    expect(await notices()).toEqual(['webhook_failing']);
    clock.advance(DAY);
    await report(world, admin, 'b');
    await sendDue(world);
    expect((await http('GET', id)).body).toMatchObject({ state: 'disabled' });
  });

  it('V19: LOST 0 after 3 days down: a replay sends what failed and what was missed, and nothing twice', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    const expected = new Set<string>();
    const announce = async (key: string) => expected.add(await report(world, admin, key));
    // Delivered before, and never again.
    for (const key of ['before-1', 'before-2']) await announce(key);
    await sendDue(world);
    const delivered = receiver.ids;
    expect(delivered).toHaveLength(2);
    const since = '2026-03-30T06:00:00Z';
    // Three days: some calls fail for good, some wait for a retry, and some come while it is disabled.
    receiver.behave('reset_at_once');
    for (let hour = 4; hour <= 76; hour += 4) {
      clock.set(new Date(new Date(NOW).getTime() + hour * HOUR));
      await announce(`down-${hour}`);
      if (hour === 60) expect(await http('PATCH', id, { enabled: false })).toMatchObject({ status: 200 });
      await sendDue(world);
    }
    expect(await http('POST', `${id}/replay`, { since })).toMatchObject({ status: 409 });
    receiver.behave(204);
    receiver.forget();
    await http('PATCH', id, { enabled: true });
    expect(receiver.calls).toEqual([]);
    const replayed = await http('POST', `${id}/replay`, { since });
    expect(replayed.body).toMatchObject({ more: false });
    expect(replayed.body.replayed).toBeGreaterThan(5);
    await sendDue(world);
    expect(await http('POST', `${id}/replay`, { since })).toMatchObject({ body: { replayed: 0 } });
    expect(await sendDue(world)).toBe(0);
    const received = [...delivered, ...receiver.ids];
    expect(new Set(received).size).toBe(received.length);
    expect(received).toHaveLength(expected.size);
    const lost = await world.sql(`SELECT id FROM deliveries WHERE channel = 'webhook' AND state <> 'sent'`);
    expect(lost).toEqual([]);
  });

  it('V19: a replay begins at its instant', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    receiver.behave(410);
    await report(world, admin, 'a');
    await sendDue(world);
    clock.advance(HOUR);
    await report(world, admin, 'b');
    receiver.behave(204);
    receiver.forget();
    await http('PATCH', id, { enabled: true });
    expect(await http('POST', `${id}/replay`, { since: '2026-03-30T07:30:00Z' })).toMatchObject({
      body: { replayed: 1 },
    });
    expect(await sendDue(world)).toBe(1);
    expect(receiver.calls[0]?.body).toContain('Disque plein b');
    expect(await http('POST', `${id}/replay`, {})).toMatchObject({ body: { replayed: 1 } });
    for (const body of [{ since: 'yesterday' }, { since: '2026-03-30' }])
      expect((await http('POST', `${id}/replay`, body)).status).toBe(400);
  });

  it('V19: the nightly cleanup deletes old attempts and expired secrets', async () => {
    const { id } = await addEndpoint(world, admin, receiver);
    await http('POST', `${id}/test`);
    await http('POST', `${id}/rotate`);
    clock.advance(29 * DAY);
    await http('POST', `${id}/test`);
    await runJob(world, cast.tenant_id, 'cleanup');
    expect((await http('GET', `${id}/attempts`)).body.data).toHaveLength(2);
    const [stored] = await world.sql('SELECT previous_secret, previous_until FROM webhook_endpoints');
    expect(stored).toEqual({ previous_secret: null, previous_until: null });
    clock.advance(2 * DAY);
    expect(await runJob(world, cast.tenant_id, 'cleanup')).toMatchObject({ webhook_attempts: 1 });
    expect((await http('GET', `${id}/attempts`)).body.data).toHaveLength(1);
  });

  it('V19: endpoints keep working with a new JWT_SECRET, and the nightly cleanup re-encrypts them', async () => {
    const { id, secret } = await addEndpoint(world, admin, receiver);
    const previous = world.config.jwtSecret ?? '';
    const JWT_SECRET = 'another-secret-of-this-installation-kQx81';
    const rotated = await createWorld({
      ...{ join: world, clock },
      env: { ...LOCAL_RECEIVERS, JWT_SECRET, JWT_SECRET_PREVIOUS: previous },
    });
    try {
      const test = () => rotated.http('POST', `/api/v1/tenant/webhooks/${id}/test`, { ...admin });
      expect(await test()).toMatchObject({ status: 200, body: { delivered: true } });
      expect(await runJob(rotated, cast.tenant_id, 'cleanup')).toMatchObject({ webhook_secrets_renewed: 1 });
      expect(await runJob(rotated, cast.tenant_id, 'cleanup')).toMatchObject({ webhook_secrets_renewed: 0 });
      receiver.forget();
      expect(await test()).toMatchObject({ status: 200, body: { delivered: true } });
      const [{ headers, body }] = receiver.calls as [(typeof receiver.calls)[number]];
      const at = new Date(Number(headers['webhook-timestamp']) * 1_000);
      const signature = new Webhook(secret).sign(String(headers['webhook-id']), at, body);
      expect(headers['webhook-signature']).toBe(signature);
      // The old secret alone no longer reads it.
      expect(await http('POST', `${id}/test`)).toMatchObject({ status: 409 });
    } finally {
      await rotated.close();
    }
  });

  it('V19: a fact that has ended is not sent late', async () => {
    await addEndpoint(world, admin, receiver);
    const alert = await report(world, admin, 'a');
    await world.http('POST', `/api/v1/alerts/${alert}/resolve`, { ...admin });
    expect(await sendDue(world)).toBe(0);
    expect(await delivery()).toMatchObject({ state: 'suppressed', reason: 'fact_gone' });
  });

  it('V19: what was queued before it was disabled or deleted is not sent', async () => {
    const one = await addEndpoint(world, admin, receiver);
    const other = await addEndpoint(world, admin, receiver);
    await report(world, admin, 'a');
    await http('PATCH', one.id, { enabled: false });
    await http('DELETE', other.id);
    expect(await sendDue(world)).toBe(0);
    const reasons = await world.sql(
      `SELECT reason FROM deliveries WHERE channel = 'webhook' ORDER BY reason`,
    );
    expect(reasons).toEqual([{ reason: 'endpoint_deleted' }, { reason: 'endpoint_disabled' }]);
  });
});
