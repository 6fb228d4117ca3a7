import { randomUUID } from 'node:crypto';
import { addPerson, type Cast, createCast } from '../../../test/support/cast.js';
import { type Answer, createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import type { MessageState } from './messages.dto.js';

const NOW = '2026-03-30T07:00:00.000Z';

let world: World;
let cast: Cast;
let key: string;
const clock = new FixedClock(NOW);

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
  cast = await createCast(world);
  key = await keyWith(['notifications:write', 'notifications:read']);
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(NOW);
  for (const table of ['notifications', 'inboxes', 'preferences']) await world.sql(`DELETE FROM ${table}`);
});

async function keyWith(scopes: string[]): Promise<string> {
  const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
    token: cast.operator.token,
    body: { name: 'program', scopes },
  });
  return (body as { key: string }).key;
}

const MESSAGE = { channel: 'email', subject: 'Relance', body: 'Bonjour,\n\nMerci.' };
type As = { token: string } | { headers: Record<string, string> };
const post = (
  body: object,
  as: As = { headers: { 'x-api-key': key } },
  headers: Record<string, string> = {},
) =>
  world.http('POST', '/api/v1/notifications', {
    ...as,
    headers: { ...('headers' in as ? as.headers : {}), ...headers },
    body: { ...MESSAGE, ...body },
  });
const get = (path: string, as: As) => world.http('GET', `/api/v1/${path}`, as);
const states = (answer: Answer) => (answer.body as { notifications: MessageState[] }).notifications;
const byKey = () => ({ headers: { 'x-api-key': key } });

/** E1, E11. */
describe('POST notifications', () => {
  it('queues a mail to a bare address, which has no feed', async () => {
    const answer = await post({ to: ' Claire@MÜLLER.example ', kind: 'invoice.sent', data: { invoice: 7 } });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      notifications: [
        {
          id: expect.any(String) as string,
          recipient: 'mailto:claire@xn--mller-kva.example',
          user_id: null,
          created: true,
          deliveries: [
            {
              id: expect.any(String) as string,
              channel: 'email',
              status: 'pending',
              state: 'pending',
              attempts: 0,
              due_at: NOW,
              defer_reason: null,
              reason: null,
              error: null,
              provider_id: null,
              segments: null,
              bundle_id: null,
              bundle_size: 0,
              delivered_at: null,
              sent_at: null,
            },
          ],
        },
      ],
      segments: null,
    });
    expect(await world.sql('SELECT address, recipient FROM deliveries')).toEqual([
      { address: 'Claire@xn--mller-kva.example', recipient: 'mailto:claire@xn--mller-kva.example' },
    ]);
    expect(await world.sql('SELECT kind, data, user_id, seq::integer FROM notifications')).toEqual([
      {
        kind: 'message',
        data: { kind: 'invoice.sent', title: 'Relance', body: 'Bonjour,\n\nMerci.', data: { invoice: 7 } },
        user_id: null,
        seq: 0,
      },
    ]);
    expect(await world.sql('SELECT user_id FROM inboxes')).toEqual([]);
  });

  it('reaches users in their feeds and by mail, in the order of the request', async () => {
    const answer = await post({ user_ids: [cast.teammate.id, cast.admin.id], body: 'un\r\ndeux' });
    expect(states(answer).map(({ user_id }) => user_id)).toEqual([cast.teammate.id, cast.admin.id]);
    const feed = await get('notifications', { token: cast.teammate.token });
    expect(feed.body.data).toMatchObject([
      { kind: 'message', title: 'Relance', body: 'un\ndeux', read_at: null },
    ]);
    expect(await world.sql('SELECT address FROM deliveries ORDER BY address')).toEqual([
      { address: cast.admin.email },
      { address: cast.teammate.email },
    ]);
  });

  it('respects a preference against mail, and shows it in the answer', async () => {
    await world.sql(`INSERT INTO preferences VALUES ($1, $2, 'message', 'email', false)`, [
      cast.tenant_id,
      cast.teammate.id,
    ]);
    const answer = await post({ user_ids: [cast.teammate.id] });
    expect(answer.status).toBe(200);
    expect(states(answer)[0]!.deliveries).toMatchObject([
      { status: 'failed', state: 'suppressed', reason: 'preference' },
    ]);
  });

  it('defers to send_at', async () => {
    const answer = await post({ to: 'claire@example.com', send_at: '2026-04-01T09:00:00+02:00' });
    expect(states(answer)[0]!.deliveries).toMatchObject([
      { state: 'pending', due_at: '2026-04-01T07:00:00.000Z', defer_reason: 'send_at' },
    ]);
  });

  it('never reaches a recipient twice with one dedupe_key: a retry returns the current state', async () => {
    const first = await post({ to: 'claire@example.com', dedupe_key: 'invoice 7' });
    await world.sql(
      `UPDATE deliveries SET state = 'sent', attempts = 1, provider_id = 'X', sent_at = $1, ended_at = $1`,
      [NOW],
    );
    const retry = await post({ to: 'CLAIRE@example.com', dedupe_key: 'invoice 7', subject: 'Encore' });
    expect(retry.status).toBe(200);
    expect(states(retry)).toMatchObject([
      {
        id: states(first)[0]!.id,
        created: false,
        deliveries: [{ status: 'sent', provider_id: 'X', sent_at: NOW }],
      },
    ]);
    const others = await post({ user_ids: [cast.admin.id, cast.teammate.id], dedupe_key: 'invoice 7' });
    expect(states(others).map(({ created }) => created)).toEqual([true, true]);
    const overlap = await post({ user_ids: [cast.teammate.id], dedupe_key: 'invoice 7' });
    expect(states(overlap)).toMatchObject([{ id: states(others)[1]!.id, created: false }]);
    expect((await world.sql('SELECT id FROM deliveries')).length).toBe(3);
  });

  it('creates one for parallel requests with the same dedupe_key, and returns it to all', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post({ to: 'claire@example.com', dedupe_key: 'same' })),
    );
    expect(new Set(answers.map((answer) => states(answer)[0]!.id)).size).toBe(1);
    expect(answers.filter((answer) => states(answer)[0]!.created).length).toBe(1);
    expect((await world.sql('SELECT id FROM deliveries')).length).toBe(1);
  });

  it('keeps a member’s dedupe_key apart from others’', async () => {
    const body = { user_ids: [cast.admin.id], dedupe_key: 'guessed' };
    await post(body, { token: cast.teammate.token });
    expect(states(await post(body))).toMatchObject([{ created: true }]);
  });

  it('honours the Idempotency-Key, even if send_at has passed since', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { to: 'claire@example.com', send_at: '2026-03-30T07:10:00Z' };
    const first = await post(body, undefined, headers);
    clock.advance(3_600_000);
    const retry = await post(body, undefined, headers);
    expect(retry).toMatchObject({ status: 202, body: first.body as object });
    expect((await post({ ...body, subject: 'x' }, undefined, headers)).status).toBe(422);
  });

  it('lets members write to users of their tenant only', async () => {
    const member = { token: cast.teammate.token };
    expect((await post({ user_ids: [cast.admin.id] }, member)).status).toBe(202);
    expect(await post({ to: 'claire@example.com' }, member)).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: 'members can write only to users of their tenant: give `user_ids`' },
    });
    expect((await post({ user_ids: [cast.admin.id], severity: 'critical' }, member)).status).toBe(403);
    expect((await post({ to: 'claire@example.com' }, { token: cast.admin.token })).status).toBe(202);
    const readOnly = await keyWith(['notifications:read']);
    expect((await post({ user_ids: [cast.admin.id] }, { headers: { 'x-api-key': readOnly } })).status).toBe(
      403,
    );
  });

  it('refuses another tenant’s user like an unknown one, and creates nothing for the others', async () => {
    const unknown = randomUUID();
    const answers = await Promise.all(
      [cast.outsider.id, unknown].map((id) => post({ user_ids: [cast.admin.id, id] })),
    );
    const refusals = answers.map(({ status, text }, position) => [
      status,
      text.replace([cast.outsider.id, unknown][position]!, '…'),
    ]);
    expect(refusals[0]).toEqual(refusals[1]);
    expect(refusals[0]![0]).toBe(400);
    expect(await world.sql('SELECT id FROM notifications')).toEqual([]);
  });

  it('accepts a thousand users at once', async () => {
    const ids = (
      await world.sql<{ id: string }>(
        `INSERT INTO users (tenant_id, email, name, role)
         SELECT $1, 'bulk' || i || '@example.com', 'Bulk ' || i, 'member' FROM generate_series(1, 1001) i RETURNING id`,
        [cast.tenant_id],
      )
    ).map(({ id }) => id);
    expect(states(await post({ user_ids: ids.slice(0, 1_000) })).length).toBe(1_000);
    expect((await post({ user_ids: ids })).status).toBe(400);
    await world.sql(`DELETE FROM users WHERE email LIKE 'bulk%'`);
  });

  const address = { to: 'claire@example.com' };
  it.each<[string, object]>([
    ['/to', {}],
    ['/to', { ...address, user_ids: ['01a1fdfe-0d5e-71cc-8145-dd329e9361dd'] }],
    ['/to', { to: '' }],
    ['/to', { to: 'Claire <claire@example.com>' }],
    ['/to', { to: 'claire@example.com, bob@example.com' }],
    ['/to', { to: 'claire@example.com\r\nBcc: bob@example.com' }],
    ['/to', { to: 'claire@localhost' }],
    ['/to', { to: ['claire@example.com'] }],
    ['/user_ids', { user_ids: [] }],
    ['/user_ids', { user_ids: [randomUUID(), 'x'] }],
    ['/channel', { ...address, channel: 'pigeon' }],
    ['/channel', { ...address, channel: null }],
    ['/subject', { ...address, subject: 'a\r\nBcc: bob@example.com' }],
    ['/subject', { ...address, subject: 'x'.repeat(201) }],
    ['/subject', { ...address, subject: 'nul\0' }],
    ['/subject', { ...address, subject: 'half \udc00' }],
    ['/subject', { ...address, subject: undefined }],
    ['/body', { ...address, body: 'x'.repeat(20_001) }],
    ['/body', { ...address, body: '  ' }],
    ['/body', { ...address, body: 7 }],
    ['/data', { ...address, data: [] }],
    ['/data', { ...address, data: { a: 'nul \0' } }],
    ['/data', { ...address, data: { a: 'x'.repeat(10_000) } }],
    ['/data', { ...address, data: JSON.parse('{"a":'.repeat(9) + '1' + '}'.repeat(9)) as object }],
    ['/kind', { ...address, kind: '<b>' }],
    ['/severity', { ...address, severity: 'fatal' }],
    ['/dedupe_key', { ...address, dedupe_key: 'a\nb' }],
    ['/send_at', { ...address, send_at: '2026-03-30T06:59:59Z' }],
    ['/send_at', { ...address, send_at: '2027-04-02T07:00:00Z' }],
    ['/send_at', { ...address, send_at: '2026-04-01T09:00:00' }],
    ['/send_at', { ...address, send_at: '2026-04-01' }],
    ['/send_at', { ...address, send_at: '2026-04-31T09:00:00Z' }],
    ['/send_at', { ...address, send_at: 1_780_000_000 }],
    ['/send_at', { ...address, send_at: '2026-04-01T09:00:00Z', send_now: true }],
    ['/send_now', { ...address, send_now: 'true' }],
    ['/bcc', { ...address, bcc: 'bob@example.com' }],
  ])('refuses at %s: %j', async (pointer, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect((answer.body.errors as { pointer: string }[]).map((fault) => fault.pointer)).toContain(pointer);
    expect(await world.sql('SELECT id FROM notifications')).toEqual([]);
  });

  it('refuses bodies that are too large, too deep or not JSON, and both credentials at once', async () => {
    const deep = `{"channel":"email","to":"claire@example.com","subject":"s","body":"b","data":${'{"a":'.repeat(
      100_000,
    )}1${'}'.repeat(100_000)}}`;
    const raw = (body: string) =>
      world.http('POST', '/api/v1/notifications', {
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
        body,
      });
    expect((await raw(deep)).body.code).toBe('validation_failed');
    expect((await raw('{')).body.code).toBe('malformed_request');
    expect((await post({ to: 'claire@example.com', body: 'x'.repeat(1_100_000) })).status).toBe(413);
    const both = await post({ to: 'a@example.com' }, { token: cast.admin.token }, { 'x-api-key': key });
    expect(both.body.code).toBe('ambiguous_credentials');
  });
});

/** E2, E7, E10. */
describe('reading', () => {
  const anyone = async () => {
    await post({ to: 'claire@example.com', subject: 'by key' });
    clock.advance(1_000);
    await post({ user_ids: [cast.admin.id], subject: 'to admin' }, { token: cast.teammate.token });
    clock.advance(1_000);
    await post({ user_ids: [cast.admin.id], subject: 'to self' }, { token: cast.admin.token });
  };
  const titles = (answer: Answer) => (answer.body.data as { title: string }[]).map(({ title }) => title);

  it('lists the deliveries that a user created or received, each once, newest first', async () => {
    await anyone();
    expect(titles(await get('deliveries', byKey()))).toEqual(['by key']);
    expect(titles(await get('deliveries', { token: cast.teammate.token }))).toEqual(['to admin']);
    expect(titles(await get('deliveries', { token: cast.admin.token }))).toEqual(['to self', 'to admin']);
    expect(titles(await get('deliveries', { token: cast.outsider.token }))).toEqual([]);
    const [delivery] = (await get('deliveries', byKey())).body.data as { id: string }[];
    expect(delivery).toMatchObject({
      recipient: 'mailto:claire@example.com',
      kind: 'message',
      channel: 'email',
      status: 'pending',
      state: 'pending',
      created_at: NOW,
    });
    expect((await get(`deliveries/${delivery!.id}`, byKey())).body).toEqual({
      ...delivery,
      sent_subject: null,
      sent_text: null,
      provider_events: [],
    });
    const others = await get(`deliveries/${delivery!.id}`, { token: cast.admin.token });
    expect(others.text).toBe((await get(`deliveries/${randomUUID()}`, { token: cast.admin.token })).text);
  });

  it('M8: names the colleague who wrote a message, and nobody for a program’s', async () => {
    await post({ user_ids: [cast.admin.id], subject: 'by key' });
    clock.advance(1_000);
    await post({ user_ids: [cast.admin.id], subject: 'by a colleague' }, { token: cast.teammate.token });
    const feed = await get('notifications', { token: cast.admin.token });
    expect(feed.body.data).toMatchObject([
      { title: 'by a colleague', author: { name: cast.teammate.name } },
      { title: 'by key', author: null },
    ]);
  });

  it('pages through deliveries of one instant, each once, and filters', async () => {
    const people = await Promise.all(
      Array.from({ length: 5 }, (_none, i) =>
        addPerson(world, cast.tenant_id, { name: `Page${i}`, email: `page${i}-${randomUUID()}@example.com` }),
      ),
    );
    await post({ user_ids: people.map(({ id }) => id) });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer = await get(`deliveries?limit=2${cursor && `&cursor=${cursor}`}`, byKey());
      seen.push(...(page.body.data as { id: string }[]).map(({ id }) => id));
      cursor = page.body.next_cursor as string | null;
    }
    expect(seen.length).toBe(5);
    expect(new Set(seen).size).toBe(5);
    await world.sql(
      `UPDATE deliveries SET state = 'unknown', ended_at = now() WHERE id IN (SELECT id FROM deliveries LIMIT 2)`,
    );
    const count = async (query: string) => titles(await get(`deliveries?${query}`, byKey())).length;
    expect(await count('status=failed')).toBe(2);
    expect(await count('status=pending')).toBe(3);
    expect(await count('status=sent')).toBe(0);
    expect(await count('channel=email&status=failed')).toBe(2);
    for (const query of ['status=lost', 'channel=pigeon', 'cursor=x', 'limit=0']) {
      expect((await get(`deliveries?${query}`, byKey())).status).toBe(400);
    }
  });

  it('continues past thousands that a filter skips', async () => {
    await post({ to: 'claire@example.com', subject: 'the oldest' });
    await world.sql(`UPDATE deliveries SET state = 'failed', ended_at = now()`);
    await world.sql(
      `WITH n AS (
         INSERT INTO notifications (tenant_id, recipient, created_by, dedupe_key, kind, severity, data, audience, created_at)
         SELECT tenant_id, recipient, created_by, 'many:' || i, kind, severity, data || '{"title": "later"}', audience,
                created_at + (i % 7) * interval '1 second'
         FROM notifications, generate_series(0, 11000) i RETURNING tenant_id, id, recipient, created_at)
       INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at, created_at)
       SELECT tenant_id, id, recipient, false, 'email', 'claire@example.com', created_at, created_at FROM n`,
    );
    const pages: number[] = [];
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Answer = await get(`deliveries?status=failed${cursor && `&cursor=${cursor}`}`, byKey());
      pages.push(titles(page).length);
      seen.push(...titles(page));
      cursor = page.body.next_cursor as string | null;
    }
    expect(seen).toEqual(['the oldest']);
    expect(pages).toEqual([0, 0, 1]);
  });

  it('shows a notification to its creator, without the recipient’s marks', async () => {
    const [state] = states(await post({ user_ids: [cast.admin.id] }, { token: cast.teammate.token }));
    await world.http('PUT', `/api/v1/notifications/${state!.id}/read`, { token: cast.admin.token });
    const path = `notifications/${state!.id}`;
    const [received, created] = [
      await get(path, { token: cast.admin.token }),
      await get(path, { token: cast.teammate.token }),
    ];
    expect(received.body).toMatchObject({ read_at: NOW, deliveries: [{ status: 'pending' }] });
    expect(created.body).toMatchObject({
      read_at: null,
      title: 'Relance',
      deliveries: [{ status: 'pending' }],
    });
    expect((await get(path, byKey())).status).toBe(404);
    const marks = await world.http('PUT', `/api/v1/notifications/${state!.id}/unread`, {
      token: cast.teammate.token,
    });
    expect(marks.status).toBe(404);
  });

  it('counts the caller’s own in statistics', async () => {
    await anyone();
    await world.sql(
      `UPDATE deliveries d SET state = 'failed', ended_at = now() FROM notifications n
       WHERE n.id = d.notification_id AND n.data ->> 'title' = 'to self'`,
    );
    const none = { pending: 0, sent: 0, failed: 0 };
    const unlimited = { limit: 0, used: 0, left: null };
    const quota = {
      hour: { limit: 100, used: 0, left: 100 },
      day: { limit: 500, used: 0, left: 500 },
      tenant_hour: unlimited,
      tenant_day: unlimited,
    };
    expect((await get('notifications/statistics', { token: cast.admin.token })).body).toEqual({
      unread: 2,
      received: 2,
      created: 1,
      complete: true,
      by_status: { pending: 1, sent: 0, failed: 1 },
      by_channel: { email: { pending: 1, sent: 0, failed: 1 }, sms: none, push: none },
      quota: { email: quota, sms: quota, push: quota },
    });
    expect((await get('notifications/statistics', byKey())).body).toMatchObject({
      unread: 0,
      received: 0,
      created: 1,
      by_status: { pending: 1, sent: 0, failed: 0 },
    });
    expect((await get('notifications/statistics', { token: cast.outsider.token })).body).toMatchObject({
      received: 0,
      created: 0,
      by_status: { pending: 0, sent: 0, failed: 0 },
    });
  });
});
