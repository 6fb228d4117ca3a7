import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';
import { createCast, type Cast, type Person } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { newPeople, notify } from '../notifications/alerts/notify.fixture.js';
import { Sessions } from '../auth/sessions/sessions.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { Database } from '../platform/database/database.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { type Client, connect, refusalOf } from './client.fixture.js';

const START = '2026-03-02T08:00:00.000Z';

let world: World;
let clock: FixedClock;
let cast: Cast;
let url: string;
const clients: Client[] = [];

/** What the server repeats at least every 15 s. */
let rounds: (() => void)[];

beforeAll(async () => {
  clock = new FixedClock(START);
  const repeat = jest.spyOn(globalThis, 'setInterval');
  world = await createWorld({ clock });
  rounds = repeat.mock.calls.filter(([, ms]) => (ms ?? 0) <= 15_000).map(([round]) => round);
  repeat.mockRestore();
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

/** Another login of the same user; returns its access token. */
async function anotherSession({ tenant_id, id, role }: Person): Promise<string> {
  const sessions = world.app.get(Sessions, { strict: false });
  const pair = await world.app.get(Database).tenant(tenant_id, (tx) => sessions.begin(tx, { id, role }));
  return pair.access_token;
}

async function logOut(process: World, { refresh_token }: Person): Promise<void> {
  const answer = await process.http('POST', '/api/v1/auth/logout', { body: { refresh_token } });
  expect(answer.status).toBe(204);
}

/** Why the server ended this connection. */
const ended = (client: Client) => until('the end of the connection', () => client.socket.disconnected);

describe('a connection', () => {
  it('is accepted from a user with a token', async () => {
    const client = await enter({ token: cast.teammate.token });
    await until('the count', () => client.count());
    expect(client.heard).toEqual([{ name: 'unread_count', payload: { unread_count: 0, unseen: 0, seq: 0 } }]);
  });

  it.each([
    ['nothing', {}],
    ['an empty token', { token: '' }],
    ['a word', { token: 'let me in' }],
    ['a number', { token: 1 }],
    ['an object', { token: { toString: 'x' } }],
    ['a list', { token: ['x'] }],
    ['a token that is too long', { token: 'x'.repeat(20_000) }],
    ['an API key', { token: `vk_${randomUUID()}_${'A'.repeat(43)}` }],
  ])('is refused with %s', async (_what, auth) => {
    expect(await refusalOf(url, auth)).toBe('unauthenticated');
  });

  it('is refused to an operator', async () => {
    expect(await refusalOf(url, { token: cast.operator.token })).toBe('forbidden');
  });

  it('is refused once the token has expired', async () => {
    clock.advance(24 * 3_600_000);
    expect(await refusalOf(url, { token: cast.owner.token })).toBe('unauthenticated');
  });

  it('is refused to users of a suspended tenant', async () => {
    const { owner } = await newPeople(world);
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [owner.tenant_id]);
    expect(await refusalOf(url, { token: owner.token })).toBe('tenant_suspended');
  });

  it('is limited per user', async () => {
    const { owner } = await newPeople(world);
    const first = await Promise.all(Array.from({ length: 50 }, () => enter({ token: owner.token })));
    expect(await refusalOf(url, { token: owner.token })).toBe('too_many_attempts');
    first[0]!.socket.disconnect();
    await until('a free place', () => enter({ token: owner.token }).catch(() => null));
  });

  it('S8: is limited per user, even for many at the same moment', async () => {
    const { owner } = await newPeople(world);
    const answers = await Promise.allSettled(Array.from({ length: 70 }, () => enter({ token: owner.token })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
  });

  it('S8: is limited per address, whoever connects', async () => {
    const guarded = await createWorld({
      clock,
      join: world,
      env: { SOCKETS_PER_ADDRESS: '3', TRUST_PROXY: 'loopback' },
    });
    await guarded.app.listen(0, '127.0.0.1');
    const guardedUrl = await guarded.app.getUrl();
    const { owner, teammate } = await newPeople(world);
    const from = (address: string, token: string) =>
      io(`${guardedUrl}/notifications`, {
        auth: { token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        extraHeaders: { 'x-forwarded-for': address },
      });
    const entered = (socket: ReturnType<typeof from>) =>
      new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('connect_error', () => resolve(false));
      });
    const sockets = Array.from({ length: 6 }, (_, at) =>
      from('203.0.113.5', (at % 2 === 0 ? owner : teammate).token),
    );
    const answers = await Promise.all(sockets.map(entered));
    expect(answers.filter(Boolean)).toHaveLength(3);
    const other = from('203.0.113.6', owner.token);
    expect(await entered(other)).toBe(true);
    sockets[answers.indexOf(true)]!.disconnect();
    const late = await until('a free place', async () => {
      const socket = from('203.0.113.5', owner.token);
      return (await entered(socket)) ? socket : null;
    });
    for (const socket of [...sockets, other, late]) socket.disconnect();
    await guarded.close();
  });

  it.each(['/', '/somewhere', '/notifications/x'])('cannot enter the namespace %s', async (namespace) => {
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

  it('cannot use polling', async () => {
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    expect(answer.status).toBe(404);
  });
});

it.each(['1', 'x.y', 7, { seq: 1 }])(
  'a connection with since %j gets resync_required first',
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
    // One minute before its expiry the token is still valid.
    clock.advance((world.config.accessTokenMinutes - 1) * 60_000);
    const second = await enter({ token: teammate.token });
    await notify(world, owner);
    await until('live', () => first.created().length === 1);
    clock.advance(60_000);
    await Promise.all([ended(first), ended(second)]);
  });

  it('when sessions end, for those sessions only', async () => {
    const { owner, teammate, outsider } = await newPeople(world);
    const [first, second, third] = [
      await enter({ token: owner.token }),
      await enter({ token: teammate.token }),
      await enter({ token: outsider.token }),
    ];
    const { tenant_id } = owner;
    const again = await enter({ token: await anotherSession(owner) });
    await logOut(world, owner);
    await ended(first);
    expect([again, second].map(({ socket }) => socket.connected)).toEqual([true, true]);
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [tenant_id]);
    world.app.get(WakeUps).send('access.revoked', { tenant_id });
    await Promise.all([ended(again), ended(second)]);
    expect(third.socket.connected).toBe(true);
  });

  it('S5: with its session, within one round, even if the wake-up is lost', async () => {
    const { owner, teammate } = await newPeople(world);
    const [first, second] = [await enter({ token: owner.token }), await enter({ token: teammate.token })];
    // Its wake-ups have no listener.
    const elsewhere = await createWorld({ clock, join: world, env: { REDIS_PREFIX: 'nobody-listens' } });
    await logOut(elsewhere, owner);
    await elsewhere.close();
    for (const round of rounds) round();
    await until('the end', () => first.socket.disconnected);
    expect(second.socket.connected).toBe(true);
  });

  it('S5: when sessions have ended and PostgreSQL cannot say whose', async () => {
    const { owner } = await newPeople(world);
    const client = await enter({ token: owner.token });
    await world.sql('ALTER TABLE sessions RENAME TO sessions_elsewhere');
    world.app.get(WakeUps).send('access.revoked', { tenant_id: owner.tenant_id, user_ids: [owner.user_id] });
    await ended(client);
    await world.sql('ALTER TABLE sessions_elsewhere RENAME TO sessions');
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
