import { randomUUID } from 'node:crypto';
import { addPerson, type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const NOW = '2026-03-30T07:00:00.000Z';

/** C1, C2, V2, V3: a report of another program opens an alert like any fact. */
describe('POST events', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let cast: Cast;
  let key: string;

  beforeAll(async () => {
    world = await createWorld({
      clock,
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
    });
    cast = await createCast(world);
    const { body } = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
      token: cast.operator.token,
      body: { name: 'backups', scopes: ['events:write'] },
    });
    ({ key } = body as { key: string });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    clock.set(NOW);
    for (const table of ['notifications', 'alerts', 'inboxes']) await world.sql(`DELETE FROM ${table}`);
  });

  const EVENT = {
    kind: 'backup.failed',
    title: 'Sauvegarde en échec',
    body: 'La base compta n’a pas été sauvegardée.',
    severity: 'warning',
    dedupe_key: 'backup:compta',
  };
  const report = (changes: object = {}, headers: Record<string, string> = {}) =>
    world.http('POST', '/api/v1/events', {
      body: { ...EVENT, ...changes },
      headers: { 'x-api-key': key, ...headers },
    });
  const resolve = (id: string) =>
    world.http('POST', `/api/v1/alerts/${id}/resolve`, { token: cast.admin.token });
  const notified = async () =>
    (await world.sql<{ recipient: string }>('SELECT recipient FROM notifications ORDER BY recipient')).map(
      ({ recipient }) => recipient,
    );

  it('open an alert, notify the tenant’s admins, and queue their mail', async () => {
    const answer = await report();
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.any(String) as string,
      kind: 'event',
      severity: 'warning',
      source_type: 'event:backup.failed',
      source_id: null,
      dedupe_key: 'event:backup:compta',
      stage: 0,
      title: EVENT.title,
      state: 'open',
      occurrences: 1,
      first_seen_at: NOW,
      last_seen_at: NOW,
      gone_at: null,
      resolved_at: null,
      resolved_by: null,
      acknowledged_at: null,
      acknowledged_by: null,
      snoozed_until: null,
      opened: true,
    });
    const feed = await world.http('GET', '/api/v1/notifications?kind=event', { token: cast.admin.token });
    expect(feed.body.data).toMatchObject([
      { title: EVENT.title, body: EVENT.body, severity: 'warning', data: { kind: 'backup.failed' } },
    ]);
    expect(await world.sql('SELECT state, address FROM deliveries')).toEqual([
      { state: 'pending', address: cast.admin.email },
    ]);
  });

  it('count a repeated fact without notifying again, even if it is reported concurrently', async () => {
    const answers = await Promise.all([report(), report(), report(), report()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    clock.advance(60_000);
    expect((await report({ title: 'Toujours en échec', severity: 'critical' })).body).toMatchObject({
      opened: false,
      occurrences: 5,
      title: 'Toujours en échec',
      severity: 'critical',
      last_seen_at: '2026-03-30T07:01:00.000Z',
    });
    expect(await notified()).toEqual([`user:${cast.admin.id}`]);
  });

  it('end when resolved: waiting deliveries are suppressed, and the next report opens a new alert', async () => {
    const first = (await report()).body as { id: string };
    clock.advance(60_000);
    const resolved = await resolve(first.id);
    expect(resolved).toMatchObject({
      status: 200,
      body: { state: 'resolved', gone_at: '2026-03-30T07:01:00.000Z', resolved_by: cast.admin.name },
    });
    expect(await world.sql('SELECT state, reason FROM deliveries')).toEqual([
      { state: 'suppressed', reason: 'fact_gone' },
    ]);
    clock.advance(60_000);
    expect(await resolve(first.id)).toMatchObject({ body: { resolved_at: '2026-03-30T07:01:00.000Z' } });
    const second = await report();
    expect(second).toMatchObject({ status: 201, body: { opened: true, occurrences: 1 } });
    expect(second.body.id).not.toBe(first.id);
    expect(await notified()).toEqual([`user:${cast.admin.id}`, `user:${cast.admin.id}`]);
  });

  it('notify the users that they name', async () => {
    await report({ user_ids: [cast.teammate.id.toUpperCase()] });
    expect(await notified()).toEqual([`user:${cast.teammate.id}`]);
  });

  it('refuse users outside the tenant, naming them, and record nothing', async () => {
    const nobody = randomUUID();
    const answer = await report({ user_ids: [cast.admin.id, cast.outsider.id, nobody] });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { pointer: '/user_ids/1', detail: `${cast.outsider.id} is no user of this tenant` },
      { pointer: '/user_ids/2', detail: `${nobody} is no user of this tenant` },
    ]);
    expect(await world.sql('SELECT id FROM alerts')).toEqual([]);
  });

  it('belong to the reporting tenant: the same key in another tenant is another fact', async () => {
    await report();
    const elsewhere = await world.http('POST', '/api/v1/events', { token: cast.outsider.token, body: EVENT });
    expect(elsewhere.body).toMatchObject({ opened: true, occurrences: 1 });
    expect(await notified()).toEqual([`user:${cast.admin.id}`, `user:${cast.outsider.id}`].sort());
  });

  it('are not counted by a retry with the same idempotency key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [first, retry] = [await report({}, headers), await report({}, headers)];
    expect(retry).toMatchObject({ status: 201, body: first.body as object });
    expect((await report()).body.occurrences).toBe(2);
    expect((await report({ title: 'Autre' }, headers)).body.code).toBe('idempotency_mismatch');
  });

  it('S8: for admins are hidden from members, who cannot resolve them', async () => {
    const member = await addPerson(world, cast.tenant_id, { name: 'Mara' });
    const hidden = String((await report()).body.id);
    const shown = String((await report({ dedupe_key: 'for-mara', user_ids: [member.id] })).body.id);
    const list = async (token: string) =>
      ((await world.http('GET', '/api/v1/alerts', { token })).body.data as { id: string }[]).map(
        ({ id }) => id,
      );
    expect((await list(cast.admin.token)).sort()).toEqual([hidden, shown].sort());
    expect(await list(member.token)).toEqual([shown]);

    const resolveAs = (id: string, token: string) =>
      world.http('POST', `/api/v1/alerts/${id}/resolve`, { token });
    const refused = await resolveAs(hidden, member.token);
    expect([refused.status, refused.text]).toEqual([404, (await resolveAs(randomUUID(), member.token)).text]);
    expect(await world.sql(`SELECT state FROM alerts WHERE id = $1`, [hidden])).toEqual([{ state: 'open' }]);
    expect((await resolveAs(shown, member.token)).status).toBe(200);
    expect((await resolveAs(hidden, cast.admin.token)).status).toBe(200);
  });

  it('are for admins and keys with the scope', async () => {
    const { token } = await addPerson(world, cast.tenant_id, { name: 'Member' });
    expect((await world.http('POST', '/api/v1/events', { token, body: EVENT })).status).toBe(403);
    const both = await world.http('POST', '/api/v1/events', {
      token: cast.admin.token,
      headers: { 'x-api-key': key },
      body: EVENT,
    });
    expect(both).toMatchObject({ status: 400, body: { code: 'ambiguous_credentials' } });
  });

  it.each([
    ['kind', 'Backup failed'],
    ['kind', 'a..b'],
    ['kind', `a${'.a'.repeat(60)}`],
    ['kind', null],
    ['title', 'two\nlines'],
    ['title', 'x'.repeat(201)],
    ['title', ''],
    ['body', 'x'.repeat(20_001)],
    ['body', 'nul \0'],
    ['body', 'half a pair \ud83d'],
    ['severity', 'fatal'],
    ['severity', undefined],
    ['dedupe_key', ''],
    ['dedupe_key', 'x'.repeat(201)],
    ['dedupe_key', { a: 1 }],
    ['user_ids', []],
    ['user_ids', 'x'],
    ['user_ids', ['x']],
    ['user_ids', [{}]],
    ['tenant_id', randomUUID()],
  ])('refuse the %s %j, and say where', async (field, value) => {
    const answer = await report({ [field]: value });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toMatch(new RegExp(`^/${field}`));
  });
});
