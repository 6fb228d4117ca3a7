import { randomUUID } from 'node:crypto';
import { addPerson, addTenant, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { waitsForAdvisoryLock } from '../../../test/support/locks.js';
import { until } from '../../../test/support/until.js';
import { type Answer, createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import {
  type Act,
  type ScriptedSmtp,
  startScriptedSmtp,
  type Step,
} from '../../delivery/channels/email/scripted-smtp.fixture.js';
import { Deferring } from '../../delivery/dispatch/deferring.js';
import { Dispatcher } from '../../delivery/dispatch/dispatcher.js';
import { Outbox } from '../../delivery/outbox.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import type { MessageState } from './messages.dto.js';
import { SendNow } from './send-now.js';

/** A Wednesday, 10:00 in Paris. */
const NOW = '2026-11-18T09:00:00.000Z';
const LIMIT = 3;

/** E1, E6, E14, V5: sent in the request, with the same rules, leases and outcomes as from the queue. */
describe('send_now', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let cast: Cast;
  let smtp: ScriptedSmtp;
  let script: (step: Step) => Act | Promise<Act>;
  let admin: Person;
  let before: number;

  beforeAll(async () => {
    smtp = await startScriptedSmtp({ script: (step) => script(step) });
    world = await createWorld({
      clock,
      env: {
        ...mailEnvironment(smtp),
        LIMIT_PER_USER_PER_HOUR: String(LIMIT),
        LIMIT_PER_USER_PER_DAY: '5',
      },
    });
    cast = await createCast(world);
  });
  afterAll(async () => {
    await world.close();
    await smtp.close();
  });
  // A tenant for each test, so that tests do not count each other's messages.
  beforeEach(async () => {
    clock.set(NOW);
    script = () => 'ok';
    await world.sql('UPDATE channels SET paused = false');
    const tenant = await addTenant(world);
    admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    before = smtp.received.length;
  });

  const send = (body: object = {}, headers: Record<string, string> = {}, token = admin.token) =>
    world.http('POST', '/api/v1/notifications', {
      token,
      headers,
      body: {
        channel: 'email',
        to: `${randomUUID()}@example.com`,
        subject: 'Relance',
        body: 'Bonjour.',
        send_now: true,
        ...body,
      },
    });
  const states = (answer: Answer) => (answer.body as { notifications: MessageState[] }).notifications;
  const delivery = (answer: Answer) => states(answer)[0]!.deliveries[0]!;
  const mails = () => smtp.received.length - before;
  const stored = () =>
    world.sql('SELECT state, direct_by FROM deliveries WHERE tenant_id = $1', [admin.tenant_id]);
  const settings = (value: object) =>
    world.sql('UPDATE tenants SET settings = $2 WHERE id = $1', [admin.tenant_id, JSON.stringify(value)]);

  it('sends in the request and answers with the mail server’s reply', async () => {
    const answer = await send({ to: 'claire@example.com' });
    expect(answer.status).toBe(200);
    expect(delivery(answer)).toMatchObject({
      status: 'sent',
      state: 'sent',
      attempts: 1,
      error: null,
      provider_id: 'SCRIPTED1',
      sent_at: NOW,
    });
    expect(mails()).toBe(1);
    expect(smtp.received.at(-1)).toMatchObject({
      to: 'claire@example.com',
      message_id: expect.stringContaining(delivery(answer).id) as string,
    });
    expect(await stored()).toEqual([{ state: 'sent', direct_by: `user:${admin.id}` }]);
  });

  it('answers with a permanent refusal, and records it', async () => {
    script = (step) => (step === 'rcpt' ? { reply: '550 5.1.1 No such user' } : 'ok');
    const answer = await send();
    expect(answer.status).toBe(200);
    expect(delivery(answer)).toMatchObject({ status: 'failed', state: 'failed', attempts: 1 });
    expect(delivery(answer).error).toContain('550');
  });

  it('answers with the time of the next attempt if the server is busy', async () => {
    script = (step) => (step === 'rcpt' ? { reply: '451 4.3.0 Later' } : 'ok');
    const answer = await send();
    expect(answer.status).toBe(202);
    const { status, defer_reason, due_at, error } = delivery(answer);
    expect({ status, defer_reason }).toEqual({ status: 'pending', defer_reason: 'retry' });
    expect(error).toContain('451');
    expect(Date.parse(String(due_at)) - Date.parse(NOW)).toBeGreaterThanOrEqual(240_000);
  });

  it('sends to several users, each separately', async () => {
    const bob = await addPerson(world, admin.tenant_id, { name: 'Bob' });
    const answer = await send({ to: undefined, user_ids: [bob.id, admin.id] });
    expect(states(answer).map(({ user_id, deliveries }) => [user_id, deliveries[0]!.status])).toEqual([
      [bob.id, 'sent'],
      [admin.id, 'sent'],
    ]);
    expect(
      (await send({ to: undefined, user_ids: Array.from({ length: 51 }, () => randomUUID()) })).status,
    ).toBe(400);
  });

  it('waits outside of operating hours, unless it is critical', async () => {
    await settings({ operating_hours: { days: [1, 2, 3, 4, 5], from: '14:00', to: '18:00' } });
    const answer = await send();
    expect(answer.status).toBe(202);
    expect(delivery(answer)).toMatchObject({
      state: 'pending',
      attempts: 0,
      defer_reason: 'operating_hours',
      due_at: '2026-11-18T13:00:00.000Z',
    });
    expect(mails()).toBe(0);
    expect(delivery(await send({ severity: 'critical' })).status).toBe('sent');
    expect(mails()).toBe(1);
  });

  it('waits for the end of a user’s quiet hours', async () => {
    await world.sql(`INSERT INTO quiet_hours VALUES ($1, $2, '08:00', '12:00')`, [admin.tenant_id, admin.id]);
    const answer = await send({ to: undefined, user_ids: [admin.id] });
    expect(delivery(answer)).toMatchObject({
      defer_reason: 'quiet_hours',
      due_at: '2026-11-18T11:00:00.000Z',
    });
    expect(mails()).toBe(0);
  });

  it('H8: is decided again if the hours change while it is being deferred', async () => {
    const closed = { operating_hours: { days: [1, 2, 3, 4, 5], from: '14:00', to: '18:00' } };
    await settings(closed);
    const changing: Promise<unknown>[] = [];
    jest.spyOn(Deferring.prototype, 'defer').mockImplementationOnce(async (...call) => {
      changing.push(
        world.app.get(Database).tenant(admin.tenant_id, async (tx) => {
          await tx.execute(`UPDATE tenants SET settings = '{}' WHERE id = $1`, [admin.tenant_id]);
          await world.app.get(Outbox).reconsider(tx, null);
        }),
      );
      await until('the change of settings to wait', () => waitsForAdvisoryLock(world));
      await world.app.get(Deferring).defer(...call);
    });
    const answer = await send();
    await Promise.all(changing);
    expect(answer.status).toBe(202);
    expect(
      await world.sql('SELECT defer_reason FROM deliveries WHERE tenant_id = $1', [admin.tenant_id]),
    ).toEqual([{ defer_reason: null }]);
  });

  it('waits while the channel is paused', async () => {
    await world.sql('UPDATE channels SET paused = true');
    const answer = await send({ severity: 'critical' });
    expect(answer.status).toBe(202);
    expect(delivery(answer)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(mails()).toBe(0);
  });

  describe('limits', () => {
    it('refuse a caller who has used theirs, create nothing, and let the key be used later', async () => {
      for (let sent = 0; sent < LIMIT; sent += 1) {
        expect((await send()).status).toBe(200);
        clock.advance(60_000);
      }
      const headers = { 'idempotency-key': randomUUID() };
      const body = { to: 'claire@example.com' };
      const refused = await send(body, headers);
      expect(refused).toMatchObject({
        status: 429,
        body: {
          code: 'limit_reached',
          detail:
            'at most 3 with send_now in 1 hour on the channel email (limit_per_user_per_hour); there is room at 2026-11-18T10:00:00.000Z',
        },
        headers: {
          'retry-after': String(57 * 60),
          'ratelimit-limit': '3',
          'ratelimit-remaining': '0',
          'ratelimit-reset': String(57 * 60),
        },
      });
      expect((await stored()).length).toBe(LIMIT);
      // Others have their own limit, critical ones are exempt, and queued messages are not refused.
      const bob = await addPerson(world, admin.tenant_id, { name: 'Bob', role: 'admin' });
      expect((await send({}, {}, bob.token)).status).toBe(200);
      expect((await send({ severity: 'critical' })).status).toBe(200);
      expect((await send({ send_now: false })).status).toBe(202);
      const { token } = admin;
      const statistics = await world.http('GET', '/api/v1/notifications/statistics', { token });
      expect(statistics.body.quota.email).toEqual({
        hour: { limit: 3, used: 3, left: 0 },
        day: { limit: 5, used: 4, left: 1 },
        tenant_hour: { limit: 0, used: 0, left: null },
        tenant_day: { limit: 0, used: 0, left: null },
      });
      clock.advance(58 * 60_000);
      const later = await world.http('POST', '/api/v1/auth/login', {
        body: { email: admin.email, password: admin.password, tenant: await slug() },
      });
      expect((await send(body, headers, later.body.access_token as string)).status).toBe(200);
    });

    const slug = async () =>
      (await world.sql<{ slug: string }>('SELECT slug FROM tenants WHERE id = $1', [admin.tenant_id]))[0]!
        .slug;

    it('hold for concurrent calls', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => send()));
      expect(answers.filter(({ status }) => status === 200).length).toBe(LIMIT);
      expect(answers.filter(({ status }) => status === 429).length).toBe(10 - LIMIT);
      expect(mails()).toBe(LIMIT);
    });

    it('refuse at once a request that exceeds a whole window', async () => {
      const ids = await Promise.all(
        Array.from(
          { length: LIMIT + 1 },
          async (_none, i) => (await addPerson(world, admin.tenant_id, { name: `P${i}` })).id,
        ),
      );
      expect((await send({ to: undefined, user_ids: ids })).status).toBe(429);
      expect(await stored()).toEqual([]);
    });

    it('of a recipient defer: the caller is not refused', async () => {
      await settings({ limits: { per_user_per_hour: 2, per_user_per_day: 0 } });
      const callers = await Promise.all(
        [1, 2, 3].map((i) => addPerson(world, admin.tenant_id, { name: `Admin${i}`, role: 'admin' })),
      );
      const answers: Answer[] = [];
      for (const { token } of callers) answers.push(await send({ to: 'claire@example.com' }, {}, token));
      expect(answers.map((answer) => delivery(answer).status)).toEqual(['sent', 'sent', 'pending']);
      expect(delivery(answers[2]!)).toMatchObject({
        defer_reason: 'limit_per_user_per_hour',
        due_at: '2026-11-18T10:00:00.000Z',
      });
      expect(mails()).toBe(2);
    });
  });

  describe('a retry', () => {
    it('with the same Idempotency-Key returns the state, even in parallel: one mail', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = { to: 'claire@example.com' };
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(body, headers)));
      expect(new Set(answers.map((answer) => states(answer)[0]!.id)).size).toBe(1);
      expect(mails()).toBe(1);
      const later = await send(body, headers);
      expect(later).toMatchObject({ status: 200 });
      expect(delivery(later)).toMatchObject({ state: 'sent', provider_id: 'SCRIPTED1' });
    });

    it('with the same dedupe_key returns the state, whatever the first outcome was', async () => {
      script = (step) => (step === 'rcpt' ? { reply: '550 No' } : 'ok');
      const body = { to: 'claire@example.com', dedupe_key: 'relance 7' };
      await send(body);
      script = () => 'ok';
      const retry = await send(body);
      expect(states(retry)).toMatchObject([{ created: false, deliveries: [{ state: 'failed' }] }]);
      expect(mails()).toBe(0);
    });

    it('during the first request says so, and sends nothing', async () => {
      let release: () => void = () => undefined;
      const held = new Promise<Act>((resolve) => {
        release = () => resolve('ok');
      });
      let arrived: () => void = () => undefined;
      const arrival = new Promise<void>((resolve) => (arrived = resolve));
      script = (step) => {
        if (step !== 'dot') return 'ok';
        arrived();
        return held;
      };
      const headers = { 'idempotency-key': randomUUID() };
      const body = { to: 'claire@example.com' };
      const first = send(body, headers);
      await arrival;
      const retry = await send(body, headers);
      expect(retry.status).toBe(202);
      expect(delivery(retry)).toMatchObject({ status: 'pending', state: 'sending' });
      release();
      expect(delivery(await first).state).toBe('sent');
      expect(mails()).toBe(1);
    });
  });

  it('leaves nothing for the dispatcher to re-send', async () => {
    await send();
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 5, now())`);
    await world.app.get(Dispatcher, { strict: false }).round('email');
    await world.sql('DELETE FROM workers');
    expect(await stored()).toEqual([{ state: 'sent', direct_by: `user:${admin.id}` }]);
  });

  it('shows the text literally: no markup, no template, no header', async () => {
    await send({
      to: 'claire@example.com',
      subject: '{{tenant.name}} <b>é</b>',
      body: '{{#each data}}{{this}}{{/each}} {{> strings.reason}}\n<script>alert(1)</script>\n\n.\n\nFin.',
    });
    const { body } = smtp.received.at(-1)!;
    const [, text, html] = body.split('quoted-printable').map((part) => part.replaceAll('=\n', ''));
    expect(text).toContain(
      '{{#each data}}{{this}}{{/each}} {{> strings.reason}}\n> <script>alert(1)</script>',
    );
    expect(text).toContain('Fin.');
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    // A bare address has no inbox.
    expect(text).not.toContain('Ouvrir dans Vigie');
  });

  it('can be called by other code', async () => {
    const [state] = await world.app
      .get(SendNow, { strict: false })
      .sendNow(
        { tenant_id: admin.tenant_id, principal: 'reminders' },
        { channel: 'email', to: { user_ids: [admin.id] }, subject: 'Rappel', body: 'N’oubliez pas.' },
      );
    expect(state).toMatchObject({ user_id: admin.id, deliveries: [{ status: 'sent' }] });
    expect(mails()).toBe(1);
  });

  /** N3 */
  it('is the service of POST notifications/send for one user', async () => {
    const manual = (body: object) =>
      world.http('POST', '/api/v1/notifications/send', {
        token: admin.token,
        body: { user_id: admin.id, channel: 'email', subject: 'Rappel', message: 'Bonjour.', ...body },
      });
    const answer = await manual({});
    expect(answer.status).toBe(200);
    expect(states(answer)).toMatchObject([{ user_id: admin.id, deliveries: [{ status: 'sent' }] }]);
    expect((await manual({ user_id: cast.admin.id })).body.errors).toEqual([
      { pointer: '/user_id', detail: `${cast.admin.id} is no user of this tenant` },
    ]);
    for (const wrong of [
      { user_id: 'x' },
      { channel: 'pigeon' },
      { message: '' },
      { subject: 'a\nb' },
      { to: 'a' },
    ]) {
      expect((await manual(wrong)).status).toBe(400);
    }
    expect(mails()).toBe(1);
  });
});
