import { type Cast, createCast } from '../support/cast.js';
import { type Proxy, proxyTo } from '../support/proxy.js';
import { until } from '../support/until.js';
import { createWorld, type World } from '../support/world.js';
import { notify } from '../../src/notifications/alerts/notify.fixture.js';
import { LiveFeeds } from '../../src/realtime/live-feeds.js';
import { subjectOf, Tokens } from '../../web/client/tokens.js';
import type { Count, GetToken } from '../../web/client/types.js';
import { VigieClient } from '../../web/client/vigie-client.js';

let world: World;
let cast: Cast;
let wire: Proxy;
let client: VigieClient;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  await world.app.listen(0, '127.0.0.1');
  wire = await proxyTo(await world.app.getUrl());
});
afterEach(() => client.stop());
afterAll(async () => {
  await wire.close();
  await world.close();
});

/** What a client reported. */
interface Heard {
  states: string[];
  counts: Count[];
  ids: string[];
  resyncs: number;
}

function connect(getToken: GetToken): Heard {
  client = new VigieClient({ server: wire.url, getToken });
  const heard: Heard = { states: [], counts: [], ids: [], resyncs: 0 };
  client.on('state', (state) => heard.states.push(state));
  client.on('count', (count) => heard.counts.push(count));
  client.on('notification', ({ notification }) => heard.ids.push(notification.id));
  client.on('resync', () => heard.resyncs++);
  client.start();
  return heard;
}

const unread = (userId: string) =>
  world
    .sql<{ n: number }>(
      'SELECT count(*)::int AS n FROM notifications WHERE user_id = $1 AND read_at IS NULL AND archived_at IS NULL',
      [userId],
    )
    .then(([row]) => row!.n);

it('C6: a client under Node follows the feed, and its count is the server’s', async () => {
  const { owner } = cast;
  const heard = connect(() => owner.token);
  await until('live', () => client.state === 'live');
  const id = await notify(world, owner, { title: 'Une échéance' });
  await until('the notification', () => heard.ids.includes(id));
  expect(client.count).toMatchObject({ unread_count: await unread(owner.id) });
  await client.rest.mark(id, 'read');
  await until('the change', () => heard.ids.length === 2);
  expect(client.count).toMatchObject({ unread_count: 0 });
  expect((await client.rest.feed({ limit: 5 })).data[0]).toMatchObject({ id, title: 'Une échéance' });
});

it('C6: after a cut nothing is missed, and the count is exact', async () => {
  const { teammate } = cast;
  const heard = connect(() => teammate.token);
  await until('live', () => client.state === 'live');
  const before = await notify(world, teammate);
  await until('the first one', () => heard.ids.includes(before));
  wire.cut();
  await until('the loss', () => client.state === 'reconnecting');
  const missed = [await notify(world, teammate), await notify(world, teammate)];
  wire.restore();
  await until('the missed ones', () => missed.every((id) => heard.ids.includes(id)));
  expect(client.count).toMatchObject({ unread_count: 3 });
  expect(heard.resyncs).toBe(1);
});

it('C6: an older count is ignored: seqs only grow', async () => {
  const { teammate } = cast;
  const heard = connect(() => teammate.token);
  await until('live', () => client.state === 'live');
  const id = await notify(world, teammate);
  await until('the notification', () => heard.ids.includes(id));
  const count = client.count!;
  const { length } = heard.counts;
  client['apply']({ name: 'count', count: { unread_count: 99, seq: count.seq - 1 } });
  expect([client.count, heard.counts.length]).toEqual([count, length]);
  client['apply']({ name: 'count', count: { unread_count: 98, seq: count.seq + 1 } });
  expect(client.count?.unread_count).toBe(98);
});

it('C6: asks for one token per attempt, and stops after three refusals', async () => {
  let asked = 0;
  const heard = connect(() => {
    asked++;
    return Promise.resolve('not a token');
  });
  await until('the end', () => client.state === 'auth-required');
  expect(asked).toBe(3);
  await expect(client.rest.feed({})).rejects.toMatchObject({ reason: 'auth' });
  expect(asked).toBe(3);
  expect(heard.states.at(-1)).toBe('auth-required');
});

it('C6: a token function that throws is asked three times, and again after retry()', async () => {
  const { owner } = cast;
  let asked = 0;
  connect(() => {
    asked++;
    if (asked <= 3) throw new Error('no session');
    return owner.token;
  });
  await until('the end', () => client.state === 'auth-required');
  expect(asked).toBe(3);
  client.retry();
  await until('live', () => client.state === 'live');
  expect(asked).toBe(4);
});

it('C6: an ended connection gets a new token, once', async () => {
  const { owner } = cast;
  let asked = 0;
  connect(() => {
    asked++;
    return owner.token;
  });
  await until('live', () => client.state === 'live');
  for (const { socket } of world.app.get(LiveFeeds, { strict: false })['subscribers'].values())
    socket.disconnect(true);
  await until('the loss', () => client.state === 'reconnecting');
  await until('live', () => client.state === 'live');
  expect(asked).toBe(2);
});

it('C6: the end of a connection with an older token does not discard the current one', async () => {
  let asked = 0;
  const tokens = new Tokens(
    () => `token ${++asked}`,
    () => undefined,
  );
  const older = await tokens.get();
  tokens.refused(older);
  const current = await tokens.get();
  tokens.expired(older);
  expect([await tokens.get(), asked]).toEqual([current, 2]);
  tokens.expired(current);
  expect([await tokens.get(), asked]).toEqual(['token 3', 3]);
});

it('C6: distinguishes an answer of another program, a refusal and no answer', async () => {
  const { owner } = cast;
  connect(() => owner.token);
  await expect(client.rest.mark('d9b8a7c6-0000-4000-8000-000000000000', 'read')).rejects.toMatchObject({
    reason: 'refused',
    code: 'not_found',
  });
  const fetched = jest.spyOn(globalThis, 'fetch');
  fetched.mockImplementation(() => Promise.resolve(new Response('<html>', { status: 200 })));
  await expect(client.rest.feed({})).rejects.toMatchObject({ reason: 'incompatible' });
  fetched.mockImplementation(() => Promise.reject(new TypeError('fetch failed')));
  await expect(client.rest.feed({})).rejects.toMatchObject({ reason: 'network' });
  fetched.mockRestore();
});

it('C6: tells users apart by their token, without verifying it', () => {
  const { owner, teammate } = cast;
  expect(subjectOf(owner.token)).toContain(owner.id);
  expect(subjectOf(owner.token)).not.toBe(subjectOf(teammate.token));
  expect(subjectOf('opaque')).toBeNull();
});
