import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import type { Acknowledgement } from '../contracts/socket-messages.js';
import { type FeedChanges, FeedChangesReader } from '../notifications/feed/feed-changes.service.js';
import { newPeople, type People, notify, notifyMany } from '../notifications/alerts/notify.fixture.js';
import { type Client, connect } from './client.fixture.js';
import { LiveFeeds } from './live-feeds.js';

let world: World;
let url: string;
let people: People;
let client: Client;

beforeAll(async () => {
  world = await createWorld();
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
});
afterAll(() => world.close());
beforeEach(async () => {
  people = await newPeople(world);
  client = await connect(url, { token: people.owner.token });
});
afterEach(() => {
  client.socket.disconnect();
});

/** Sends any message; returns the answer, or undefined when none arrives within two seconds. */
async function send(name: string, ...payload: unknown[]): Promise<Acknowledgement | undefined> {
  // Untyped, like an arbitrary client.
  const socket = client.socket as unknown as Socket;
  return (socket.timeout(2_000).emitWithAck(name, ...payload) as Promise<Acknowledgement>).catch(
    () => undefined,
  );
}

describe('notifications.read', () => {
  it('marks the user’s own, once, and counts no others', async () => {
    const [first, second] = await notifyMany(world, [people.owner, people.owner]);
    const [teammates, outsiders] = [
      await notify(world, people.teammate),
      await notify(world, people.outsider),
    ];
    const ids = [first, randomUUID(), teammates, outsiders];
    expect(await send('notifications.read', { ids })).toEqual({ ok: true, updated: 1 });
    expect(await send('notifications.read', { ids })).toEqual({ ok: true, updated: 0 });
    await until('the badge', () => client.count()?.unread_count === 1);
    const unread = await world.sql<{ id: string }>(
      'SELECT id FROM notifications WHERE read_at IS NULL AND id = ANY ($1)',
      [[first, second, teammates, outsiders]],
    );
    expect(unread.map(({ id }) => id).sort()).toEqual([second, teammates, outsiders].sort());
  });

  it.each([
    ['nothing', []],
    ['null', [null]],
    ['text', ['ids']],
    ['a list', [[]]],
    ['no ids', [{}]],
    ['an empty list', [{ ids: [] }]],
    ['text for a list', [{ ids: randomUUID() }]],
    ['an invalid id', [{ ids: ['x'] }]],
    ['null among them', [{ ids: [randomUUID(), null] }]],
    ['nested ids', [{ ids: [[randomUUID()]] }]],
    ['too many', [{ ids: Array.from({ length: 201 }, () => randomUUID()) }]],
    ['another field', [{ ids: [randomUUID()], user_id: randomUUID() }]],
    ['a prototype', [JSON.parse('{"__proto__": {"ids": []}}')]],
    ['two payloads', [{ ids: [randomUUID()] }, { ids: [randomUUID()] }]],
    ['a deep list', [JSON.parse('['.repeat(500) + ']'.repeat(500))]],
    ['bytes', [{ ids: Buffer.from('x') }]],
  ])('refuses %s', async (_what, payload) => {
    expect(await send('notifications.read', ...payload)).toMatchObject({
      ok: false,
      code: 'validation_failed',
    });
    expect(client.socket.connected).toBe(true);
  });

  it('needs no acknowledgement', async () => {
    await until('the first count', () => client.count());
    const id = await notify(world, people.owner);
    await until('it', () => client.created().includes(id));
    (client.socket as unknown as Socket).emit('notifications.read', { ids: [id] });
    await until('the badge', () => client.count()?.unread_count === 0);
  });
});

describe('notifications.read_all', () => {
  it('marks all of the user’s own', async () => {
    await notifyMany(world, [people.owner, people.owner, people.teammate]);
    expect(await send('notifications.read_all')).toEqual({ ok: true, updated: 2 });
    expect(await send('notifications.read_all')).toEqual({ ok: true, updated: 0 });
  });

  it('takes no payload', async () => {
    expect(await send('notifications.read_all', { user_id: people.teammate.id })).toMatchObject({
      ok: false,
      code: 'validation_failed',
    });
  });
});

describe('abuse', () => {
  it.each(['join', 'message', 'notification.created', 'unread_count', '__proto__', 'constructor', ''])(
    'the message %j is unknown and reaches nobody',
    async (name) => {
      const other = await connect(url, { token: people.owner.token });
      expect(await send(name, `${people.outsider.tenant_id}:${people.outsider.id}`)).toMatchObject({
        ok: false,
        code: 'validation_failed',
      });
      await until('the count', () => other.count());
      expect(other.heard.map((one) => one.name)).toEqual(['unread_count']);
      other.socket.disconnect();
    },
  );

  it('twenty messages a second are answered, more are refused', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => send('notifications.read_all')));
    const refused = answers.filter((answer) => answer?.ok === false);
    // A new second may have started in between.
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeLessThanOrEqual(40);
    expect(refused[0]).toEqual({ ok: false, code: 'too_many_attempts' });
    expect(client.socket.connected).toBe(true);
  });

  it('a flood ends only its own connection', async () => {
    const other = await connect(url, { token: people.owner.token });
    for (let sent = 0; sent < 1_000; sent++) client.socket.emit('notifications.read_all', () => undefined);
    await until('the end', () => client.socket.disconnected);
    const id = await notify(world, people.owner);
    await until('it', () => other.created().includes(id));
    other.socket.disconnect();
  });

  it('a message that is too large ends the connection', async () => {
    void send('notifications.read', { ids: ['x'.repeat(70_000)] });
    await until('the end', () => client.socket.disconnected);
  });

  it.each([
    `42/notifications,1["notifications.read",${'['.repeat(30_000)}${']'.repeat(30_000)}]`,
    `42/notifications,1["notifications.read",${'{"ids":'.repeat(8_000)}1${'}'.repeat(8_000)}]`,
    '42/notifications,1["notifications.read",',
    '42/notifications,1{"ids":[]}',
    '42/notifications,1[1,2]',
    '42/notifications,1[]',
    '42/notifications,["disconnect"]',
    // Not read_all: that would be carried out, and could mark the notification that the test waits for.
    '42/notifications,99999999999999999999["notifications.read",{"ids":[]}]',
    '43/notifications,1[{"ok":true}]',
    '40/notifications,{"token":"x"}',
    '44/notifications,{"message":"x"}',
    '451-/notifications,["notifications.read",{"_placeholder":true,"num":0}]',
    '451-/notifications,["notifications.read",{"_placeholder":true,"num":9}]',
    '4',
    '49',
    '9',
    'b!!!!',
    '\u0000',
  ])('the frame %s does no harm', async (frame) => {
    const other = await connect(url, { token: people.owner.token });
    (
      client.socket.io.engine as unknown as { transport: { ws: { send(frame: string): void } } }
    ).transport.ws.send(frame);
    const id = await notify(world, people.owner);
    await until('it', () => other.created().includes(id));
    expect(await other.socket.emitWithAck('notifications.read', { ids: [id] })).toEqual({
      ok: true,
      updated: 1,
    });
    other.socket.disconnect();
  });

  it('a client that reads nothing gets no more, and is dropped', async () => {
    const since = jest.spyOn(world.app.get(FeedChangesReader), 'since');
    // Simulates a dead network: the browser's transport reads nothing.
    const { engine } = client.socket.io as unknown as {
      engine: { transport: { ws: { _socket: { pause(): void } } } };
    };
    await until('the count', () => client.count());
    engine.transport.ws._socket.pause();
    const body = 'x'.repeat(50_000);
    for (let turn = 0; turn < 6; turn++) {
      await notifyMany(
        world,
        Array.from({ length: 150 }, () => people.owner),
        { body },
      );
    }
    const feeds = world.app.get(LiveFeeds);
    await until('the end', async () => {
      await feeds.compare();
      return /^vigie_sockets_connected 0$/m.test((await world.http('GET', '/metrics')).text);
    });
    const answers = await Promise.all(since.mock.results.map(({ value }) => value as Promise<FeedChanges[]>));
    const given = answers.flat().reduce((sum, { changes }) => sum + changes.length, 0);
    // What the network buffers before it blocks, and a page: not all 900.
    expect(given).toBeLessThan(600);
    since.mockRestore();
  });
});
