import { randomUUID } from 'node:crypto';
import { createWorld, type World } from '../../../test/support/world.js';
import { runJob } from '../../../test/support/watched.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { FeedChangesReader } from './feed-changes.service.js';
import type { FeedNotification } from './feed.dto.js';
import { newPeople, type People, notify, notifyMany } from '../alerts/notify.fixture.js';

const START = '2026-03-02T08:00:00.000Z';

let world: World;
let cast: People;
let clock: FixedClock;

beforeAll(async () => {
  clock = new FixedClock(START);
  world = await createWorld({ clock, env: { ITEM_URL: 'https://front.example/{tenant}/{type}/{id}' } });
});
afterAll(() => world.close());

// Each test has its own tenants and people.
beforeEach(async () => {
  clock.set(START);
  cast = await newPeople(world);
});

const get = async (path: string, person = cast.owner) =>
  world.http('GET', `/api/v1/${path}`, { token: person.token });
const put = async (path: string, person = cast.owner) =>
  world.http('PUT', `/api/v1/${path}`, { token: person.token });
const unread = async (person = cast.owner): Promise<number> =>
  ((await get('notifications/unread-count', person)).body as { unread_count: number }).unread_count;
const ids = (body: { data: FeedNotification[] }) => body.data.map(({ id }) => id);

async function seqOf(userId: string): Promise<number | undefined> {
  const [row] = await world.sql<{ seq: number }>('SELECT seq FROM inboxes WHERE user_id = $1', [userId]);
  return row?.seq;
}

describe('GET notifications', () => {
  it('is newest first, and pages contain each one once, even those of one instant', async () => {
    const created: string[] = [];
    for (const minute of [0, 0, 0, 1, 1, 2, 3]) {
      clock.set(new Date(Date.parse(START) + minute * 60_000));
      created.push(await notify(world, cast.owner));
    }
    await notify(world, cast.teammate);
    await notify(world, cast.outsider);

    const seen: FeedNotification[] = [];
    let cursor: string | null = null;
    do {
      const page = await get(`notifications?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      seen.push(...page.body.data);
      cursor = page.body.next_cursor;
    } while (cursor !== null);

    expect(seen.map(({ id }) => id).sort()).toEqual([...created].sort());
    const instants = seen.map(({ created_at }) => created_at);
    expect(instants).toEqual([...instants].sort().reverse());
  });

  it('shows each in the format of contracts/socket-messages', async () => {
    const id = await notify(world, cast.owner, { title: 'TVA', body: 'Déclaration', severity: 'warning' });
    expect((await get('notifications')).body).toEqual({
      data: [
        {
          id,
          kind: 'event',
          severity: 'warning',
          title: 'TVA',
          body: 'Déclaration',
          author: null,
          data: { kind: 'test' },
          created_at: START,
          read_at: null,
          archived_at: null,
          alert_id: null,
          acknowledged_at: null,
          acknowledged_by: null,
          snoozed_until: null,
          url: null,
          cursor: `${await seqOf(cast.owner.user_id)}.${id}`,
        },
      ],
      next_cursor: null,
    });
  });

  it('V10: links to the page of what it is about, by ITEM_URL, in lists and in detail', async () => {
    const { tenant_id, user_id } = cast.owner;
    const [deadline] = await world.sql<{ id: string; slug: string }>(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) SELECT id, 'TVA', '2026-03-05', $2
       FROM tenants WHERE id = $1 RETURNING id, (SELECT slug FROM tenants WHERE id = $1)`,
      [tenant_id, user_id],
    );
    await runJob(world, tenant_id, 'check-notifications');
    const url = `https://front.example/${deadline!.slug}/deadline/${deadline!.id}`;
    const [listed] = (await get('notifications')).body.data as FeedNotification[];
    expect(listed).toMatchObject({ kind: 'deadline_near', url });
    expect((await get(`notifications/${listed!.id}`)).body).toMatchObject({ url, audience: 'responsible' });
    expect((await put(`notifications/${listed!.id}/read`)).body).toMatchObject({ url });
    const changes = await world.app
      .get(FeedChangesReader, { strict: false })
      .since(tenant_id, [{ user_id, after: { seq: 0, id: listed!.id } }], 10);
    expect(changes[0]!.changes).toMatchObject([{ url }]);
  });

  it('filters by state, kind, severity and instant, and hides archived ones', async () => {
    const event = await notify(world, cast.owner, { severity: 'critical' });
    const test = await notify(world, cast.owner, { kind: 'test' });
    clock.advance(1_000);
    const late = await notify(world, cast.owner);
    const archived = await notify(world, cast.owner);
    await put(`notifications/${test}/read`);
    await put(`notifications/${archived}/archive`);

    const listed = async (query: string) => ids((await get(`notifications?${query}`)).body).sort();
    expect(await listed('')).toEqual([event, test, late].sort());
    expect(await listed('unread=true')).toEqual([event, late].sort());
    expect(await listed('unread=false')).toEqual([test]);
    expect(await listed('kind=test')).toEqual([test]);
    expect(await listed('kind=test,event')).toEqual([event, test, late].sort());
    expect(await listed('kind=reminder,test')).toEqual([test]);
    expect(await listed('severity=critical')).toEqual([event]);
    expect(await listed('since=2026-03-02T08:00:01Z')).toEqual([late]);
    expect(await listed('since=2026-03-02T09:00:01%2B01:00')).toEqual([late]);
    expect(await listed('archived=true')).toEqual([event, test, late, archived].sort());
    expect(await listed('unread=true&archived=true&since=2026-03-02T08:00:01Z')).toEqual(
      [late, archived].sort(),
    );
  });

  it.each([
    'unread=perhaps',
    'unread=true&unread=false',
    'kind=gossip',
    'kind=test,gossip',
    'kind=',
    'kind=test&kind=event',
    'severity=',
    'since=2026-02-30T00:00:00Z',
    'since=2026-03-02',
    'since=2026-03-02T08:00:00',
    'since=yesterday',
    'limit=0',
    'limit=201',
    'cursor=nonsense',
    `cursor=${Buffer.from('["2026-03-02T08:00:00.000Z","x"]').toString('base64url')}`,
    'user_id=1',
  ])('refuses ?%s', async (query) => {
    const answer = await get(`notifications?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toMatch(/^(validation_failed|invalid_cursor)$/);
  });
});

describe('GET notifications/{id}', () => {
  it('shows the outcome of each delivery', async () => {
    const id = await notify(world, cast.owner);
    const [delivery] = await world.sql<{ id: string }>(
      `UPDATE deliveries SET state = 'failed', reason = NULL, error = '550 no such user', attempts = 1, ended_at = now()
       WHERE notification_id = $1 RETURNING id`,
      [id],
    );
    const { body } = await get(`notifications/${id}`);
    expect(body).toMatchObject({ id, read_at: null });
    expect(body.deliveries).toEqual([
      {
        id: delivery!.id,
        channel: 'email',
        status: 'failed',
        state: 'failed',
        attempts: 1,
        due_at: START,
        defer_reason: null,
        reason: null,
        error: '550 no such user',
        provider_id: null,
        segments: null,
        bundle_id: null,
        bundle_size: 0,
        delivered_at: null,
        provider_events: [],
        sent_subject: null,
        sent_text: null,
        sent_at: null,
      },
    ]);
  });

  it.each([
    ['pending', 'pending'],
    ['queued', 'pending'],
    ['sending', 'pending'],
    ['sent', 'sent'],
    ['failed', 'failed'],
    ['suppressed', 'failed'],
    ['cancelled', 'failed'],
    ['unknown', 'failed'],
  ])('calls %s %s', async (state, status) => {
    const id = await notify(world, cast.owner);
    await world.sql(
      `UPDATE deliveries SET state = $2, reason = NULL,
         lease_token = CASE WHEN $2 IN ('queued', 'sending') THEN $1::uuid END,
         lease_until = CASE WHEN $2 IN ('queued', 'sending') THEN now() END,
         sent_at = CASE WHEN $2 = 'sent' THEN now() END,
         ended_at = CASE WHEN $2 IN ('sent', 'failed', 'suppressed', 'cancelled', 'unknown') THEN now() END
       WHERE notification_id = $1`,
      [id, state],
    );
    const { body } = await get(`notifications/${id}`);
    expect(body.deliveries).toMatchObject([{ state, status }]);
  });
});

describe('marking', () => {
  it('marks as read once: a repetition changes nothing', async () => {
    const id = await notify(world, cast.owner);
    const before = await seqOf(cast.owner.user_id);
    clock.advance(60_000);
    const first = await put(`notifications/${id}/read`);
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      id,
      read_at: '2026-03-02T08:01:00.000Z',
      cursor: `${before! + 1}.${id}`,
    });

    clock.advance(60_000);
    expect((await put(`notifications/${id}/read`)).text).toBe(first.text);
    expect(await seqOf(cast.owner.user_id)).toBe(before! + 1);
  });

  it('marks as unread again, and archives', async () => {
    const id = await notify(world, cast.owner);
    await put(`notifications/${id}/read`);
    expect(await unread()).toBe(0);
    expect((await put(`notifications/${id}/unread`)).body).toMatchObject({ read_at: null });
    expect(await unread()).toBe(1);
    const seq = await seqOf(cast.owner.user_id);
    await put(`notifications/${id}/unread`);
    expect(await seqOf(cast.owner.user_id)).toBe(seq);
    expect((await put(`notifications/${id}/archive`)).body).toMatchObject({
      archived_at: START,
      read_at: null,
    });
    expect(await unread()).toBe(0);
    await put(`notifications/${id}/archive`);
    expect(await seqOf(cast.owner.user_id)).toBe(seq! + 1);
  });

  it('marks all of mine as read with one seq, and nobody else’s', async () => {
    await notifyMany(world, [cast.owner, cast.owner, cast.owner, cast.teammate]);
    const archived = await notify(world, cast.owner);
    await put(`notifications/${archived}/archive`);
    const seq = await seqOf(cast.owner.user_id);

    expect((await put('notifications/read-all')).body).toEqual({ updated: 3 });
    expect(await seqOf(cast.owner.user_id)).toBe(seq! + 1);
    expect(await unread()).toBe(0);
    expect(await unread(cast.teammate)).toBe(1);
    const seqs = await world.sql(
      'SELECT DISTINCT seq FROM notifications WHERE user_id = $1 AND read_at IS NOT NULL',
      [cast.owner.user_id],
    );
    expect(seqs).toEqual([{ seq: seq! + 1 }]);

    expect((await put('notifications/read-all')).body).toEqual({ updated: 0 });
    expect(await seqOf(cast.owner.user_id)).toBe(seq! + 1);
  });

  it('V28: marks all that match as read, and none that arrived after the list was shown', async () => {
    const [critical, test, event] = [
      await notify(world, cast.owner, { severity: 'critical' }),
      await notify(world, cast.owner, { kind: 'test' }),
      await notify(world, cast.owner),
    ];
    const readOnes = async () => ids((await get('notifications?unread=false')).body).sort();
    const all = async (query: string) => (await put(`notifications/read-all?${query}`)).body;
    expect(await all('severity=critical')).toEqual({ updated: 1 });
    expect(await readOnes()).toEqual([critical]);
    expect(await all('kind=event&severity=critical')).toEqual({ updated: 0 });
    expect(await all('since=2026-03-02T08:00:01Z')).toEqual({ updated: 0 });
    const [shown] = (await get('notifications?kind=event')).body.data as FeedNotification[];
    const late = await notify(world, cast.owner);
    expect(await all(`up_to=${shown!.cursor}`)).toEqual({ updated: 2 });
    expect(await readOnes()).toEqual([critical, test, event].sort());
    expect(await unread()).toBe(1);
    for (const wrong of ['kind=gossip', 'up_to=x', `up_to=${late}`, 'limit=1', 'unread=true'])
      expect([wrong, (await put(`notifications/read-all?${wrong}`)).status]).toEqual([wrong, 400]);
  });

  it('counts exactly during 50 concurrent changes', async () => {
    const created = await notifyMany(
      world,
      Array.from({ length: 20 }, () => cast.owner),
    );
    const changes = ['read', 'unread', 'archive'];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, turn) => {
        if (turn % 10 === 9) return notify(world, cast.owner);
        if (turn % 17 === 16) return put('notifications/read-all');
        return put(`notifications/${created[(turn * 7) % created.length]!}/${changes[turn % 3]!}`);
      }),
    );
    for (const answer of answers) if (typeof answer !== 'string') expect(answer.status).toBe(200);

    const [counted] = await world.sql<{ unread: number; shown: number; top: number }>(
      `SELECT count(*) FILTER (WHERE read_at IS NULL AND archived_at IS NULL)::int AS unread,
              count(*) FILTER (WHERE archived_at IS NULL)::int AS shown, max(seq) AS top
       FROM notifications WHERE user_id = $1`,
      [cast.owner.user_id],
    );
    const answer = await get('notifications/unread-count');
    const seq = await seqOf(cast.owner.user_id);
    expect(answer.body).toEqual({ unread_count: counted!.unread, unseen: counted!.shown, seq });
    expect(counted!.top).toBeLessThanOrEqual(seq!);
  });
});

describe("somebody else's", () => {
  it.each(['GET ', 'PUT /read', 'PUT /unread', 'PUT /archive'])(
    '%s is answered like an unknown id',
    async (call) => {
      const [method, suffix] = call.split(' ') as [string, string];
      const id = await notify(world, cast.owner);
      const before = await world.sql('SELECT * FROM notifications WHERE id = $1', [id]);
      const ask = (which: string, person: { token: string }) =>
        world.http(method, `/api/v1/notifications/${which}${suffix}`, { token: person.token });
      for (const person of [cast.teammate, cast.outsider]) {
        const unknown = await ask(randomUUID(), person);
        expect(unknown.status).toBe(404);
        expect((await ask(id, person)).text).toBe(unknown.text);
        expect((await ask('not-an-id', person)).text).toBe(unknown.text);
      }
      expect(await world.sql('SELECT * FROM notifications WHERE id = $1', [id])).toEqual(before);
    },
  );

  it('is neither listed nor counted', async () => {
    await notify(world, cast.owner);
    for (const person of [cast.teammate, cast.outsider]) {
      expect((await get('notifications', person)).body.data).toEqual([]);
      expect(await unread(person)).toBe(0);
    }
  });
});

describe('POST notifications/test-email', () => {
  const test = (headers = {}) =>
    world.http('POST', '/api/v1/notifications/test-email', { token: cast.owner.token, headers });

  it('notifies me, at my own address, in my language', async () => {
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [cast.owner.user_id]);
    const answer = await test();
    expect(answer.status).toBe(202);
    const { body } = await get(`notifications/${answer.body.notification_id as string}`);
    expect(Object.keys(answer.body as object)).toEqual(['notification_id']);
    expect(body).toMatchObject({
      kind: 'test',
      title: 'Test message: email delivery works',
      deliveries: [{ channel: 'email' }],
    });
    const [sent] = await world.sql(
      `SELECT d.address = u.email AS mine, n.created_by FROM deliveries d
       JOIN notifications n ON n.id = d.notification_id JOIN users u ON u.id = n.user_id WHERE n.id = $1`,
      [answer.body.notification_id],
    );
    expect(sent).toEqual({ mine: true, created_by: `user:${cast.owner.user_id}` });
  });

  it('allows five a minute, sequential or parallel', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => test()));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 202, 202, 202, 429, 429, 429, 429]);
    expect(answers.find(({ status }) => status === 429)?.headers['retry-after']).toBe('60');
    clock.advance(60_000);
    expect((await test()).status).toBe(202);
  });

  it('creates one for a retry with the same key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [await test(headers), await test(headers)];
    expect(second.text).toBe(first.text);
    expect(await unread()).toBe(1);
  });
});
