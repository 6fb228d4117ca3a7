import type { DefaultEventsMap, Socket } from 'socket.io';
import type { ClientMessages, LiveNotification, ServerMessages } from '../contracts/socket-messages.js';
import {
  type FeedChanges,
  type FeedCursor,
  LAST_ID,
  readFeedCursor,
} from '../notifications/feed/feed-changes.service.js';

/** What the handshake found out about a socket; nothing that the client says later changes it. */
export interface SocketData {
  tenant_id: string;
  user_id: string;
  /** The session of its token: the connection ends with it. */
  session: string;
  /** When its token expires; the connection ends then. */
  expires_at: Date;
  /** The client's last change, or the end of its feed: it gets what comes after. */
  since: FeedCursor;
  /** The client sent a `since` that is not a cursor. */
  resync: boolean;
}

export type FeedSocket = Socket<ClientMessages, ServerMessages, DefaultEventsMap, SocketData>;

/** Changes read for one socket at a time. A slow client has at most two pages of them in this process's memory. */
export const PAGE = 50;
/** A client that missed more than this reads the feed by REST instead. */
export const REPLAY_LIMIT = 1_000;

/**
 * One socket, and the last change that it was sent. Replay and live updates are the same thing: PostgreSQL is read
 * from the socket's cursor on, and what it returns is emitted in that order.
 */
export class Subscriber {
  /** The last change emitted. */
  cursor: FeedCursor;
  private countedSeq = -1;
  private replayed = 0;
  /** Packets that the socket has not taken yet. */
  private pending = 0;
  private awaited = false;

  constructor(readonly socket: FeedSocket) {
    this.cursor = socket.data.since;
    // Engine.IO hands packets to the network in batches: `drain` means that it took all of the last one.
    socket.conn.on('packetCreate', () => this.pending++);
    socket.conn.on('drain', () => (this.pending = 0));
  }

  get drained(): boolean {
    return this.pending === 0;
  }

  /** Calls back when the socket has taken all packets. Until then, further calls are ignored. */
  onceDrained(callback: () => void): void {
    if (this.drained) {
      callback();
      return;
    }
    if (this.awaited) return;
    this.awaited = true;
    this.socket.conn.once('drain', () => {
      this.awaited = false;
      callback();
    });
  }

  isBehind(seq: number): boolean {
    return this.cursor.seq !== seq || this.countedSeq !== seq;
  }

  /**
   * Moves the cursor past changes that were emitted. Emits the count by itself if no change carried it.
   * @returns whether there are more changes to read.
   */
  advance({ changes, seq, unread_count }: FeedChanges): boolean {
    // The database was restored from a backup: the client has changes that no longer exist.
    const ahead = this.cursor.seq > seq;
    const last = readFeedCursor(changes.at(-1)?.cursor);
    if (changes.length === PAGE && last !== null) {
      this.cursor = last;
      this.replayed += PAGE;
      if (this.replayed < REPLAY_LIMIT) return true;
    }
    if (ahead || this.replayed >= REPLAY_LIMIT) this.socket.emit('resync_required');
    this.replayed = 0;
    this.cursor = { seq, id: LAST_ID };
    if (changes.length === 0 && this.countedSeq !== seq) {
      this.socket.emit('unread_count', { unread_count, seq });
    }
    this.countedSeq = seq;
    return false;
  }
}

/** Emits changes, in order, to sockets of one user. Each is encoded once, not once for each socket. */
export function emitChanges(sockets: readonly FeedSocket[], changes: readonly LiveNotification[]): void {
  const [first] = sockets;
  if (first === undefined) return;
  // Socket.IO keeps a room for each socket, named by its id.
  const target = sockets.length === 1 ? first : first.nsp.to(sockets.map(({ id }) => id));
  for (const change of changes) target.emit(messageName(change), change);
}

/**
 * A notification that is neither read nor archived is new to the client, or was marked unread again. Clients replace
 * by id, so `created` is right for both.
 */
function messageName({ read_at, archived_at }: LiveNotification) {
  return read_at === null && archived_at === null ? 'notification.created' : 'notification.updated';
}
