import { io, type Socket } from 'socket.io-client';
import type { ServerMessages } from '../../src/contracts/socket-messages.js';
import { BackOff } from './back-off.js';
import type { Tokens } from './tokens.js';
import { completed, type ConnectionState, type Count, type Frame, type Notification } from './types.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Refusals that another token may change. */
const OF_TOKEN = ['unauthenticated', 'forbidden', 'tenant_suspended'];

/** Events of a browser's window; Node has none. */
interface Network {
  /** Node has only this one: the type needs one property that all global scopes have. */
  setTimeout: unknown;
  addEventListener?: (name: 'online' | 'offline', listener: () => void) => void;
  removeEventListener?: (name: 'online' | 'offline', listener: () => void) => void;
}

export interface ConnectionOptions {
  server: string;
  tokens: Tokens;
  /** The cursor of the last change that the client has; null: none yet. */
  since: () => string | null;
  onFrame: (frame: Frame) => void;
  onState: (state: ConnectionState) => void;
}

/** One socket to the server, connected again whenever it is lost. Each attempt takes at most one new token. */
export class Connection {
  private socket: Socket<ServerMessages> | null = null;
  private readonly backOff = new BackOff();
  private running = false;
  private wasLive = false;
  private readonly network: Network = globalThis;

  constructor(private readonly options: ConnectionOptions) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    this.network.addEventListener?.('online', this.onOnline);
    this.network.addEventListener?.('offline', this.onOffline);
    void this.attempt();
  }

  stop(): void {
    if (!this.running) return;
    this.running = false;
    this.network.removeEventListener?.('online', this.onOnline);
    this.network.removeEventListener?.('offline', this.onOffline);
    this.backOff.cancel();
    this.close();
  }

  /** The network is back: connects at once. */
  private readonly onOnline = (): void => {
    if (this.socket?.connected === true) return;
    this.backOff.reset();
    this.close();
    void this.attempt();
  };

  /** A lost network closes no socket, and the server's silence shows only after 45 s. */
  private readonly onOffline = (): void => {
    this.backOff.cancel();
    this.close();
    this.options.onState('offline');
  };

  private close(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.off();
    socket?.disconnect();
  }

  private async attempt(): Promise<void> {
    const { server, tokens, since, onState } = this.options;
    onState(this.wasLive ? 'reconnecting' : 'connecting');
    let token: string;
    try {
      token = await tokens.get();
    } catch {
      this.again();
      return;
    }
    if (!this.running || this.socket !== null) return;
    const last = since();
    const socket: Socket<ServerMessages> = io(`${server}/notifications`, {
      auth: { ...(tokens.areCookies ? {} : { token }), ...(last === null ? {} : { since: last }) },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_TIMEOUT_MS,
    });
    this.socket = socket;
    this.listen(socket);
    socket.on('connect', () => {
      tokens.accepted(token);
      this.backOff.succeeded();
      this.wasLive = true;
      onState('live');
      // Without a cursor the server starts at the end of the feed: what changed before is not replayed.
      if (last === null) this.options.onFrame({ name: 'resync' });
    });
    socket.on('connect_error', (error) => {
      if (OF_TOKEN.includes(codeOf(error))) tokens.refused(token);
      this.again();
    });
    socket.on('disconnect', (reason) => {
      // The server ends a connection when its session or its token ends.
      if (reason === 'io server disconnect') tokens.expired(token);
      this.again();
    });
  }

  private listen(socket: Socket<ServerMessages>): void {
    const { onFrame } = this.options;
    const changed = (name: 'created' | 'updated') => (payload: Notification & Count) => {
      const { unread_count, seq, unseen, ...notification } = payload;
      const count = { unread_count, seq, ...(unseen === undefined ? {} : { unseen }) };
      onFrame({ name, notification: completed(notification), count });
    };
    socket.on('notification.created', (payload) => changed('created')(payload as Notification & Count));
    socket.on('notification.updated', (payload) => changed('updated')(payload as Notification & Count));
    socket.on('unread_count', (count: Count) => onFrame({ name: 'count', count }));
    socket.on('resync_required', () => onFrame({ name: 'resync' }));
  }

  private again(): void {
    this.close();
    if (!this.running) return;
    if (this.options.tokens.areExhausted) {
      this.options.onState('auth-required');
      return;
    }
    this.options.onState(this.wasLive ? 'reconnecting' : 'connecting');
    this.backOff.schedule(() => void this.attempt());
  }
}

/** The code in `data` of a refused connection; empty for any other failure. */
function codeOf(error: Error): string {
  if (!('data' in error)) return '';
  const { data } = error;
  return typeof data === 'object' && data !== null && 'code' in data ? String(data.code) : '';
}
