import { type Client, open } from '../../src/realtime/client.fixture.js';

const FROM_THE_START = '0.00000000-0000-0000-0000-000000000000';
const RECONNECT_MS = 200;

/** A browser behind a load balancer: when it loses its web process, it connects to the next one, with its last cursor. */
export class LiveReader {
  /** The notifications that it has received. */
  readonly ids = new Set<string>();
  /** How often a connection was lost or refused. */
  losses = 0;
  private cursor = FROM_THE_START;
  private client: Client | null = null;
  private timer: NodeJS.Timeout | undefined;

  /** @param turn the place of its first web process in `urls` */
  constructor(
    readonly user_id: string,
    private readonly token: string,
    private readonly urls: readonly string[],
    private turn: number,
  ) {
    this.connect();
  }

  get connected(): boolean {
    return this.client?.socket.connected === true;
  }

  close(): void {
    clearTimeout(this.timer);
    this.client?.socket.removeAllListeners();
    this.client?.socket.disconnect();
  }

  private connect(): void {
    const url = this.urls[this.turn % this.urls.length] ?? '';
    this.client = open(url, { token: this.token, since: this.cursor });
    const { socket } = this.client;
    for (const name of ['notification.created', 'notification.updated'] as const) {
      socket.on(name, ({ id, cursor }) => {
        this.ids.add(id);
        this.cursor = cursor;
      });
    }
    socket.once('disconnect', () => this.reconnect());
    socket.once('connect_error', () => this.reconnect());
  }

  private reconnect(): void {
    this.close();
    this.losses += 1;
    this.turn += 1;
    this.timer = setTimeout(() => this.connect(), RECONNECT_MS);
  }
}
