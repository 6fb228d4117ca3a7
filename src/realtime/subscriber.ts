import type { DefaultEventsMap, Socket } from 'socket.io';
import type { ClientMessages, NotificationView, ServerMessages } from '../contracts/socket-messages.js';
import type { CountedInbox } from '../notifications/feed/feed.service.js';
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
  /** When its token ends, and the connection with it. */
  expires_at: Date;
  /** Where the client left off, or the end of its feed: it wants what comes after. */
  since: FeedCursor;
  /** It says where it left off, but not so that it can be understood. */
  resync: boolean;
}

export type FeedSocket = Socket<ClientMessages, ServerMessages, DefaultEventsMap, SocketData>;

/** Changes read for one socket at a time: what one that reads slowly keeps in memory, twice at most. */
export const PAGE = 50;
/** Whoever is this far behind reads the feed anew instead. */
export const REPLAY_LIMIT = 1_000;

/**
 * One socket, and how far it has been brought up to date. Replay and live are the same thing: whatever comes
 * after its cursor is read from PostgreSQL and emitted in that order.
 */
export class Subscriber {
  /** The last change emitted. */
  cursor: FeedCursor;
  private countedSeq = -1;
  /** Not emitted yet: of several only the last is worth a message. */
  private count: CountedInbox | null = null;
  private behind = 0;
  /** Packets that wait for the socket to take those before them. */
  private pending = 0;
  private awaited = false;

  constructor(readonly socket: FeedSocket) {
    this.cursor = socket.data.since;
    // The adapter's transport takes the next packets when the network has taken the last ones.
    socket.conn.on('packetCreate', () => this.pending++);
    socket.conn.on('drain', () => (this.pending = 0));
  }

  get drained(): boolean {
    return this.pending === 0;
  }

  /** Calls back once the socket has taken what waits for it; once, however often it is asked before that. */
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

  /** Emits what came after the cursor; the count is left to `tellCount`. @returns whether there is more to read. */
  take({ changes, seq, unread_count }: FeedChanges): boolean {
    // A client from before a restore of the database knows what no longer is.
    const ahead = this.cursor.seq > seq;
    for (const change of changes) this.emit(change);
    const last = readFeedCursor(changes.at(-1)?.cursor);
    if (changes.length === PAGE && last !== null) {
      this.cursor = last;
      this.behind += PAGE;
      if (this.behind < REPLAY_LIMIT) return true;
    }
    if (ahead || this.behind >= REPLAY_LIMIT) this.socket.emit('resync_required');
    this.behind = 0;
    this.cursor = { seq, id: LAST_ID };
    if (this.countedSeq !== seq) this.count = { unread_count, seq };
    this.countedSeq = seq;
    return false;
  }

  /** Emits the count that `take` left. */
  tellCount(): void {
    if (this.count !== null) this.socket.emit('unread_count', this.count);
    this.count = null;
  }

  /**
   * Nobody has touched one that is neither read nor archived: it is new to the client, or was marked unread
   * again. Clients know them by id, so the second shows as the first did.
   */
  private emit(change: NotificationView): void {
    const untouched = change.read_at === null && change.archived_at === null;
    this.socket.emit(untouched ? 'notification.created' : 'notification.updated', change);
  }
}
