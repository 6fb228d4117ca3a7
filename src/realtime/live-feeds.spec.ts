import { SchedulerRegistry } from '@nestjs/schedule';
import { Redis } from 'ioredis';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { Database } from '../platform/database/database.js';
import { Feed } from '../notifications/feed/feed.service.js';
import { newPeople, type People, notify, notifyMany } from '../notifications/alerts/notify.fixture.js';
import { type Client, connect } from './client.fixture.js';
import { LiveFeeds } from './live-feeds.js';
import { proxyTo } from '../../test/support/proxy.js';

const FROM_THE_START = '0.00000000-0000-0000-0000-000000000000';

let world: World;
let url: string;
let people: People;
const clients: Client[] = [];

beforeAll(async () => {
  world = await createWorld();
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
});
afterAll(() => world.close());
beforeEach(async () => {
  people = await newPeople(world);
});
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.disconnect();
});

async function enter(auth: { token: string; since?: string | undefined }, at = url): Promise<Client> {
  const client = await connect(at, auth);
  clients.push(client);
  await until('the first count', () => client.count());
  return client;
}

const read = (id: string, person = people.owner) =>
  world.http('PUT', `/api/v1/notifications/${id}/read`, { token: person.token });

describe('live', () => {
  it('sends each change with the new count, in one frame, to all sockets of its user and to no others', async () => {
    const { owner, teammate, outsider } = people;
    const [first, second] = [await enter(owner), await enter(owner)];
    const others = [await enter(teammate), await enter(outsider)];
    const id = await notify(world, owner, { title: 'TVA' });
    for (const client of [first, second]) await until('the badge', () => client.count()?.unread_count === 1);
    expect(first.heard.map(({ name }) => name)).toEqual(['unread_count', 'notification.created']);
    const shown = await world.http('GET', '/api/v1/notifications', { token: owner.token });
    const [notification] = shown.body.data as object[];
    expect(first.notifications()).toEqual([{ ...notification, unread_count: 1, unseen: 1, seq: 1 }]);

    await read(id);
    for (const client of [first, second]) await until('the badge', () => client.count()?.unread_count === 0);
    expect(first.heard.slice(2)).toMatchObject([
      { name: 'notification.updated', payload: { id, unread_count: 0, seq: 2 } },
    ]);
    expect(second.heard).toEqual(first.heard);
    for (const other of others) expect(other.heard.map(({ name }) => name)).toEqual(['unread_count']);
  });

  it('keeps the order of changes', async () => {
    const client = await enter(people.owner);
    await Promise.all(Array.from({ length: 40 }, () => notify(world, people.owner)));
    await until('all of them', () => client.created().length === 40);
    const seqs = client.notifications().map(({ cursor }) => Number(cursor.split('.')[0]));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(client.count()).toEqual({ unread_count: 40, unseen: 40, seq: 40 });
    // Only the count after connecting: every later count came with its change.
    expect(client.heard.filter(({ name }) => name === 'unread_count')).toHaveLength(1);
  });

  it('V17: what one tab has seen, the others of its user hear, as counts with a newer seq', async () => {
    const { owner, teammate } = people;
    const [first, second, other] = [await enter(owner), await enter(owner), await enter(teammate)];
    const id = await notify(world, owner);
    await until('the notification', () => first.created().includes(id) && second.created().includes(id));
    expect(second.count()).toEqual({ unread_count: 1, unseen: 1, seq: 1 });

    const seen = await world.http('PUT', '/api/v1/notifications/seen', {
      token: owner.token,
      body: { cursor: first.cursor() },
    });
    expect(seen.body).toEqual({ unread_count: 1, unseen: 0, seq: 2 });
    for (const client of [first, second]) await until('the counts', () => client.count()?.seq === 2);
    expect(second.heard.slice(2)).toEqual([{ name: 'unread_count', payload: seen.body }]);
    expect(first.heard).toEqual(second.heard);
    expect(other.heard.map(({ name }) => name)).toEqual(['unread_count']);

    await notify(world, owner);
    await until('the next', () => second.created().length === 2);
    expect(second.count()).toEqual({ unread_count: 2, unseen: 1, seq: 3 });
  });

  it('H15: Socket.IO opens no Redis connection', async () => {
    const client = await enter(people.owner);
    const id = await notify(world, people.owner);
    await until('the notification', () => client.created().includes(id));
    const redis = new Redis(world.config.redisUrl!);
    const connections = String(await redis.client('LIST')).split('\n');
    redis.disconnect();
    expect(connections.length).toBeGreaterThan(1);
    expect(connections.filter((line) => /cmd=xread/.test(line))).toEqual([]);
  });
});

describe('replay', () => {
  it('sends what was missed since, in order, and continues live', async () => {
    const before = await enter(people.owner);
    const first = await notify(world, people.owner);
    await until('it', () => before.created().length === 1);
    const since = before.cursor();
    before.socket.disconnect();

    const [second, third] = [await notify(world, people.owner), await notify(world, people.owner)];
    await read(first);
    const after = await enter({ token: people.owner.token, since });
    await until('all three', () => after.notifications().length === 3);
    expect(after.heard.map(({ name }) => name)).toEqual([
      'notification.created',
      'notification.created',
      'notification.updated',
    ]);
    expect(after.notifications().map(({ id }) => id)).toEqual([second, third, first]);
    expect(after.count()?.unread_count).toBe(2);
    const fourth = await notify(world, people.owner);
    await until('the live one', () => after.created().includes(fourth));
  });

  it('sends only the count without since', async () => {
    await notify(world, people.owner);
    const client = await enter(people.owner);
    expect(client.heard).toEqual([{ name: 'unread_count', payload: { unread_count: 1, unseen: 1, seq: 1 } }]);
  });

  it('sends page after page until complete, even within one seq', async () => {
    await notifyMany(
      world,
      Array.from({ length: 120 }, () => people.owner),
    );
    await notify(world, people.owner);
    const client = await enter({ token: people.owner.token, since: FROM_THE_START });
    await until('the last', () => client.created().length >= 121);
    expect(new Set(client.created()).size).toBe(121);
    expect(client.created()).toHaveLength(121);
    expect(client.count()).toEqual({ unread_count: 121, unseen: 121, seq: 2 });
    expect(client.heard.map(({ name }) => name)).not.toContain('resync_required');
  });

  it('gives up beyond a thousand, and continues live', async () => {
    await notifyMany(
      world,
      Array.from({ length: 1_000 }, () => people.owner),
    );
    await notify(world, people.owner);
    const client = await enter({ token: people.owner.token, since: FROM_THE_START });
    await until('the request to resync', () => client.heard.at(-1)?.name === 'resync_required');
    expect(client.created()).toHaveLength(1_000);
    expect(client.count()).toEqual({ unread_count: 1_001, unseen: 1_000, seq: 2 });
    const id = await notify(world, people.owner);
    await until('the live one', () => client.created().includes(id));
  });

  it('asks a client with a cursor from the future to start again', async () => {
    const client = await enter({
      token: people.owner.token,
      since: '99.ffffffff-ffff-ffff-ffff-ffffffffffff',
    });
    expect(client.heard.map(({ name }) => name)).toEqual(['resync_required', 'unread_count']);
    const id = await notify(world, people.owner);
    await until('the live one', () => client.created().includes(id));
  });

  it('misses nothing that is committed while it connects', async () => {
    let since = FROM_THE_START;
    const missed: string[] = [];
    for (let turn = 0; turn < 40; turn++) {
      const [client, ...created] = await Promise.all([
        enter({ token: people.owner.token, since }),
        ...Array.from({ length: 3 }, () => notify(world, people.owner)),
      ]);
      await until('all three', () => created.every((id) => client.created().includes(id))).catch(() =>
        missed.push(...created.filter((id) => !client.created().includes(id))),
      );
      since = client.cursor() ?? since;
      client.socket.disconnect();
    }
    expect(missed).toEqual([]);
  });
});

describe('two processes', () => {
  let other: World;
  let otherUrl: string;

  beforeAll(async () => {
    other = await createWorld({ join: world });
    await other.app.listen(0, '127.0.0.1');
    otherUrl = await other.app.getUrl();
  });
  afterAll(() => other.close());

  it('act as one: each hears what happens in the other', async () => {
    const [here, there] = [await enter(people.owner), await enter(people.owner, otherUrl)];
    const id = await notify(other, people.owner);
    for (const client of [here, there]) await until('it', () => client.created().includes(id));
    here.socket.emit('notifications.read', { ids: [id] }, () => undefined);
    for (const client of [here, there]) await until('the badge', () => client.count()?.unread_count === 0);
  });
});

describe('without wake-ups', () => {
  /** Commits a notification without a wake-up. */
  async function notifySilently(): Promise<string> {
    const [row] = await world.sql<{ id: string }>(
      `WITH inbox AS (
         INSERT INTO inboxes AS i (tenant_id, user_id, seq) VALUES ($1, $2, 1)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1 RETURNING seq
       )
       INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience, seq, created_at)
       SELECT $1, 'user:' || $2, $2, gen_random_uuid(), 'event', 'info',
              '{"title": "Silent", "body": "as the grave"}', 'self', seq, now() FROM inbox
       RETURNING id`,
      [people.owner.tenant_id, people.owner.user_id],
    );
    return row!.id;
  }

  it('the comparison finds missed changes', async () => {
    const client = await enter(people.owner);
    const id = await notifySilently();
    expect(client.created()).toEqual([]);
    await world.app.get(LiveFeeds).compare();
    await until('it', () => client.created().includes(id));
    await until('the count', () => client.count()?.unread_count === 1);
  });

  it('the comparison ends the connections of deleted users', async () => {
    const [removed, suspended] = [await enter(people.teammate), await enter(people.outsider)];
    const staying = await enter(people.owner);
    await world.sql('DELETE FROM users WHERE id = $1', [people.teammate.id]);
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [people.outsider.tenant_id]);
    await world.app.get(LiveFeeds).compare();
    await until('the end', () => removed.socket.disconnected && suspended.socket.disconnected);
    expect(staying.socket.connected).toBe(true);
  });

  it('the comparison runs on its own schedule', () => {
    expect(world.app.get(SchedulerRegistry).getIntervals()).toContain('compare-feeds');
  });

  it('clients connect, catch up and mark while Redis is unreachable', async () => {
    const wire = await proxyTo(world.config.redisUrl!);
    const cut = await createWorld({ join: world, env: { REDIS_URL: wire.url } });
    try {
      await cut.app.listen(0, '127.0.0.1');
      wire.cut();
      const missed = await notify(world, people.owner);
      const client = await enter(
        { token: people.owner.token, since: FROM_THE_START },
        await cut.app.getUrl(),
      );
      await until('the missed one', () => client.created().length > 0);
      expect(client.created()).toEqual([missed]);

      const answer = await client.socket.emitWithAck('notifications.read', { ids: [missed] });
      expect(answer).toEqual({ ok: true, updated: 1 });
      await until('the badge', () => client.count()?.unread_count === 0);

      const later = await notify(world, people.owner);
      expect(client.created()).not.toContain(later);
      await cut.app.get(LiveFeeds).compare();
      await until('it', () => client.created().includes(later));

      wire.restore();
      await until('live again', async () => {
        const id = await notify(world, people.owner);
        return until('it', () => client.created().includes(id), 500).catch(() => false);
      });
    } finally {
      await cut.close();
      await wire.close();
    }
  });
});

it('counts what a transaction changed, not what it attempted', async () => {
  const client = await enter(people.owner);
  await expect(
    world.app.get(Database).tenant(people.owner.tenant_id, async (tx) => {
      await world.app.get(Feed).markAllRead(tx, people.owner.user_id);
      throw new Error('rolled back');
    }),
  ).rejects.toThrow('rolled back');
  await world.app.get(LiveFeeds).compare();
  const id = await notify(world, people.owner);
  await until('it', () => client.created().includes(id));
  expect(client.count()?.seq ?? 0).toBeLessThanOrEqual(1);
});
