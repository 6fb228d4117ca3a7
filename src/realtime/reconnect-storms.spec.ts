import { type Proxy, proxyTo } from '../../test/support/proxy.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { newPeople, notify, notifyMany } from '../notifications/alerts/notify.fixture.js';
import { type Client, connect } from './client.fixture.js';
import { LiveFeeds } from './live-feeds.js';

const STORMS = 30;
const CLIENTS_PER_USER = 5;
const FROM_THE_START = '0.00000000-0000-0000-0000-000000000000';

let world: World;
let server: World;
let wire: Proxy;
let url: string;

beforeAll(async () => {
  world = await createWorld();
  wire = await proxyTo(world.config.redisUrl!);
  server = await createWorld({ join: world, env: { REDIS_URL: wire.url } });
  await server.app.listen(0, '127.0.0.1');
  url = await server.app.getUrl();
});
afterAll(async () => {
  await server.close();
  await wire.close();
  await world.close();
});

/** A client that reconnects with its last cursor and keeps what it received. */
class Reconnecting {
  readonly ids = new Set<string>();
  readonly cursors: string[] = [];
  unread = -1;
  private client: Client | null = null;

  constructor(
    readonly user_id: string,
    private readonly token: string,
  ) {}

  async connect(): Promise<void> {
    this.client = await connect(url, { token: this.token, since: this.cursors.at(-1) ?? FROM_THE_START });
  }

  /** @param abruptly without the close packets of Socket.IO and WebSocket, as when a network goes down. */
  drop(abruptly: boolean): void {
    if (this.client === null) return;
    const { engine } = this.client.socket.io as unknown as {
      engine: { transport: { ws: { terminate(): void } } };
    };
    if (abruptly) engine.transport.ws.terminate();
    this.client.socket.disconnect();
    this.collect();
    this.client = null;
  }

  collect(): void {
    if (this.client === null) return;
    for (const { id, cursor } of this.client.notifications()) {
      this.ids.add(id);
      this.cursors.push(cursor);
    }
    this.unread = this.client.count()?.unread_count ?? this.unread;
    this.client.heard.length = 0;
  }
}

it('F17: after 30 reconnect storms, half of them without Redis, each client has all notifications in order', async () => {
  const { owner, teammate, outsider } = await newPeople(world);
  const people = [owner, teammate, outsider];
  const created = new Map<string, string[]>(people.map(({ user_id }) => [user_id, []]));
  const clients = people.flatMap(({ user_id, token }) =>
    Array.from({ length: CLIENTS_PER_USER }, () => new Reconnecting(user_id, token)),
  );

  for (let storm = 0; storm < STORMS; storm++) {
    if (storm === STORMS / 3) wire.cut();
    if (storm === STORMS / 2 + STORMS / 3) wire.restore();
    clients.forEach((client, position) => client.drop((position + storm) % 2 === 0));
    // Notifications are committed before, during and after the reconnects.
    await Promise.all([
      ...clients.map((client) => client.connect()),
      ...people.map(async (person) => {
        const ids = await notifyMany(server, [person, person]);
        created.get(person.user_id)!.push(...ids, await notify(server, person));
      }),
    ]);
  }

  // The comparison replaces lost wake-ups.
  await server.app.get(LiveFeeds).compare();
  for (const client of clients) {
    const expected = created.get(client.user_id)!;
    await until('all notifications', () => {
      client.collect();
      return client.ids.size === expected.length && client.unread === expected.length;
    });
    expect([...client.ids].sort()).toEqual([...expected].sort());
    const order = client.cursors.map((cursor) => {
      const [seq = '', id = ''] = cursor.split('.');
      return `${seq.padStart(10, '0')}.${id}`;
    });
    // Strictly increasing: a client that sends its last cursor gets nothing twice and nothing out of order.
    expect(order).toEqual([...new Set(order)].sort());
    client.drop(false);
  }
}, 120_000);
