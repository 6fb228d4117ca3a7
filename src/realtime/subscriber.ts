import type { DefaultEventsMap, Socket } from 'socket.io';
import type { ClientMessages, LiveNotification, ServerMessages } from '../contracts/socket-messages.js';
import type { FeedChanges } from '../notifications/feed/feed-changes.service.js';
import { type FeedCursor, LAST_ID, readFeedCursor } from '../notifications/feed/feed-cursor.js';

/** The handshake's findings about a socket; no later message changes them. */
export interface SocketData {
  tenant_id: string;
  user_id: string;
  /** The session of its token: the connection ends with it. */
  session: string;
  /** When its token expires; the connection ends then. */
  expires_at: Date;
  /** The client's last change, or the end of its feed: it gets later changes. */
  since: FeedCursor;
  /** The client sent a `since` that is not a cursor. */
  resync: boolean;
}

export type FeedSocket = Socket<ClientMessages, ServerMessages, DefaultEventsMap, SocketData>;

/** Changes per read and socket. A slow client has at most two pages of them in this process's memory. */
export const PAGE = 50;
/** A client that missed more reads the feed by REST instead. */
export const REPLAY_LIMIT = 1_000;

/**
 * One socket and the last change sent to it. Replay and live updates work alike: read PostgreSQL from the socket's
 * cursor, and emit the result in order.
 */
export class Subscriber {
  /** The last change emitted. */
  cursor: FeedCursor;
  private countedSeq = -1;
  private replayed = 0;
  /** Packets that the socket has not accepted yet. */
  private pending = 0;
  private awaited = false;

  constructor(readonly socket: FeedSocket) {
    this.cursor = socket.data.since;
    // Engine.IO passes packets to the network in batches: `drain` means that the whole last batch was accepted.
    socket.conn.on('packetCreate', () => this.pending++);
    socket.conn.on('drain', () => (this.pending = 0));
  }

  get drained(): boolean {
    return this.pending === 0;
  }

  /** Calls back when the socket has accepted all packets. Until then, further calls are ignored. */
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
   * Moves the cursor past emitted changes. Emits the counts separately if no change carried them.
   * @returns whether there are more changes to read.
   */
  advance({ changes, seq, unread_count, unseen }: FeedChanges): boolean {
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
      this.socket.emit('unread_count', { unread_count, unseen, seq });
    }
    this.countedSeq = seq;
    return false;
  }
}

/** Emits changes, in order, to sockets of one user. Each is encoded once, not once per socket. */
export function emitChanges(sockets: readonly FeedSocket[], changes: readonly LiveNotification[]): void {
  const [first] = sockets;
  if (first === undefined) return;
  // Socket.IO keeps a room per socket, named by its id.
  const target = sockets.length === 1 ? first : first.nsp.to(sockets.map(({ id }) => id));
  for (const change of changes) target.emit(messageName(change), change);
}

/**
 * A notification without any mark is new to the client, or its last mark was undone (unread again, for example). Clients
 * replace by id, so `created` suits both.
 */
function messageName({ read_at, archived_at, acknowledged_at, snoozed_until }: LiveNotification) {
  const marks = [read_at, archived_at, acknowledged_at, snoozed_until];
  return marks.every((mark) => mark === null) ? 'notification.created' : 'notification.updated';
}
