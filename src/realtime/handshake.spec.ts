import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';
import { createCast, type Cast } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { newPeople, notify } from '../notifications/alerts/notify.fixture.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { type Client, connect, refusalOf } from './client.fixture.js';

const START = '2026-03-02T08:00:00.000Z';

let world: World;
let clock: FixedClock;
let cast: Cast;
let url: string;
const clients: Client[] = [];

beforeAll(async () => {
  clock = new FixedClock(START);
  world = await createWorld({ clock });
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
  cast = await createCast(world);
});
afterAll(() => world.close());
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.disconnect();
  clock.set(START);
});

async function enter(auth: Record<string, unknown>): Promise<Client> {
  const client = await connect(url, auth);
  clients.push(client);
  return client;
}

/** Why the server ended this connection. */
const ended = (client: Client) => until('the end of the connection', () => client.socket.disconnected);

describe('who is let in', () => {
  it('is a user, by token', async () => {
    const client = await enter({ token: cast.teammate.token });
    await until('the count', () => client.count());
    expect(client.heard).toEqual([{ name: 'unread_count', payload: { unread_count: 0, seq: 0 } }]);
  });

  it.each([
    ['nothing', {}],
    ['an empty token', { token: '' }],
    ['a word', { token: 'let me in' }],
    ['a number', { token: 1 }],
    ['an object', { token: { toString: 'x' } }],
    ['a list', { token: ['x'] }],
    ['too long a token', { token: 'x'.repeat(20_000) }],
    ['an API key', { token: `vk_${randomUUID()}_${'A'.repeat(43)}` }],
  ])('is nobody with %s', async (_what, auth) => {
    expect(await refusalOf(url, auth)).toBe('unauthenticated');
  });

  it('is not an operator', async () => {
    expect(await refusalOf(url, { token: cast.operator.token })).toBe('forbidden');
  });

  it('is nobody whose token has ended', async () => {
    clock.advance(24 * 3_600_000);
    expect(await refusalOf(url, { token: cast.owner.token })).toBe('unauthenticated');
  });

  it('is nobody of a suspended tenant', async () => {
    const { owner } = await newPeople(world);
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [owner.tenant_id]);
    expect(await refusalOf(url, { token: owner.token })).toBe('tenant_suspended');
  });

  it('is limited per user', async () => {
    const { owner } = await newPeople(world);
    await Promise.all(Array.from({ length: 50 }, () => enter({ token: owner.token })));
    expect(await refusalOf(url, { token: owner.token })).toBe('too_many_attempts');
  });

  it.each(['/', '/somewhere', '/notifications/x'])('enters no namespace %s', async (namespace) => {
    const socket = io(`${url}${namespace}`, {
      auth: { token: cast.owner.token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    const error = await new Promise((refused, entered) => {
      socket.on('connect_error', refused);
      socket.on('connect', () => entered(new Error('it was let in')));
    });
    expect(error).toBeInstanceOf(Error);
    socket.disconnect();
  });

  it('does not poll', async () => {
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    expect(answer.status).toBe(404);
  });
});

it.each(['1', 'x.y', 7, { seq: 1 }])(
  'a since of %j is answered with resync_required first',
  async (since) => {
    const client = await enter({ token: cast.owner.token, since });
    await until('the count', () => client.count());
    expect(client.heard.map(({ name }) => name)).toEqual(['resync_required', 'unread_count']);
  },
);

describe('a connection ends', () => {
  it('with its token', async () => {
    const { owner, teammate } = await newPeople(world);
    const first = await enter({ token: owner.token });
    // One minute before the token ends it is still good.
    clock.advance((world.config.accessTokenMinutes - 1) * 60_000);
    const second = await enter({ token: teammate.token });
    await notify(world, owner);
    await until('live', () => first.created().length === 1);
    clock.advance(60_000);
    await Promise.all([ended(first), ended(second)]);
  });

  it('when access is revoked, for that user only', async () => {
    const { owner, teammate, outsider } = await newPeople(world);
    const [first, second, third] = [
      await enter({ token: owner.token }),
      await enter({ token: teammate.token }),
      await enter({ token: outsider.token }),
    ];
    const { tenant_id, user_id } = owner;
    world.app.get(WakeUps).send('access.revoked', { tenant_id, user_ids: [user_id] });
    await ended(first);
    expect(second.socket.connected).toBe(true);
    world.app.get(WakeUps).send('access.revoked', { tenant_id });
    await ended(second);
    expect(third.socket.connected).toBe(true);
  });

  it('when the process stops, at once', async () => {
    const stopping = await createWorld({ clock, join: world });
    await stopping.app.listen(0, '127.0.0.1');
    const client = await connect(await stopping.app.getUrl(), { token: cast.owner.token });
    const before = performance.now();
    await stopping.close();
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(await ended(client)).toBe(true);
  });
});
