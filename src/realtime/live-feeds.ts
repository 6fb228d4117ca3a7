import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Authenticator } from '../auth/authenticator.js';
import {
  type FeedAsked,
  type FeedChanges,
  FeedChangesReader,
} from '../notifications/feed/feed-changes.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { emitChanges, type FeedSocket, PAGE, Subscriber } from './subscriber.js';

/** Coalesce wake-ups within this window into one query per tenant. */
const COALESCE_MS = 5;
/** Concurrent queries. Each takes a connection of the pool that requests share. */
const MAX_CONCURRENT_READS = 3;
const USERS_PER_READ = 250;
const USERS_PER_COMPARISON = 1_000;
const SOCKETS_PER_COMPARISON = 5_000;
/** Interval of comparisons: the maximum delay of a change or an end whose wake-up was lost. */
const COMPARE_INTERVAL_MS = 15_000;
const EXPIRY_INTERVAL_MS = 1_000;

type Users = Map<string, Set<Subscriber>>;

/** Sockets of one user with the same cursor share a query. */
interface Group {
  asked: FeedAsked;
  subscribers: Subscriber[];
}

/**
 * Keeps the sockets of this process up to date. A wake-up only names users. Emits what PostgreSQL has after each
 * socket's cursor, so a wake-up may be lost, repeated or reordered.
 */
@Injectable()
export class LiveFeeds {
  private readonly logger = new Logger('LiveFeeds');
  private readonly tenants = new Map<string, Users>();
  /** Users whose feeds need reading, by tenant. Tenants take turns, so a large one does not delay the others. */
  private readonly waiting = new Map<string, Set<string>>();
  /** The running query of each tenant. */
  private readonly reads = new Map<string, Promise<void>>();
  private readonly stalled = new Set<Subscriber>();
  private readonly subscribers = new Map<FeedSocket, Subscriber>();
  private timer: NodeJS.Timeout | null = null;
  private comparing = false;
  private closed = false;

  constructor(
    private readonly reader: FeedChangesReader,
    private readonly authenticator: Authenticator,
    private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    metrics.set('vigie_sockets_connected', {}, 0);
  }

  add(socket: FeedSocket): void {
    const { tenant_id, user_id } = socket.data;
    const users = this.tenants.get(tenant_id) ?? new Map<string, Set<Subscriber>>();
    this.tenants.set(tenant_id, users);
    const subscribers = users.get(user_id) ?? new Set();
    users.set(user_id, subscribers);
    const subscriber = new Subscriber(socket);
    subscribers.add(subscriber);
    this.subscribers.set(socket, subscriber);
    this.metrics.set('vigie_sockets_connected', {}, this.subscribers.size);
    this.wake(tenant_id, [user_id]);
  }

  remove(socket: FeedSocket): void {
    const { tenant_id, user_id } = socket.data;
    const subscriber = this.subscribers.get(socket);
    const users = this.tenants.get(tenant_id);
    const subscribers = users?.get(user_id);
    if (subscriber === undefined || users === undefined || subscribers === undefined) return;
    this.subscribers.delete(socket);
    this.metrics.set('vigie_sockets_connected', {}, this.subscribers.size);
    this.stalled.delete(subscriber);
    subscribers.delete(subscriber);
    if (subscribers.size === 0) users.delete(user_id);
    if (users.size === 0) this.tenants.delete(tenant_id);
  }

  /** The feeds of these users have changed: reads them for users connected to this process. */
  wake(tenantId: string, userIds: readonly string[]): void {
    const users = this.tenants.get(tenantId);
    if (users === undefined || this.closed) return;
    const here = userIds.filter((id) => users.has(id));
    if (here.length === 0) return;
    const waiting = this.waiting.get(tenantId) ?? new Set();
    this.waiting.set(tenantId, waiting);
    for (const id of here) waiting.add(id);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.startReads();
    }, COALESCE_MS);
  }

  /**
   * Sessions of these users, or of the whole tenant, have ended: closes the connections of invalid sessions. If
   * PostgreSQL cannot be queried, closes all of theirs; their clients reconnect.
   */
  async revoke(tenantId: string, userIds?: readonly string[]): Promise<void> {
    const sockets = this.socketsOf(tenantId, userIds);
    try {
      await this.endRevoked(sockets);
    } catch (error) {
      this.logger.warn({ event: 'sessions_not_compared', tenant_id: tenantId, err: error });
      for (const socket of sockets) socket.disconnect(true);
    }
  }

  /**
   * Compares every connected socket with PostgreSQL. Closes connections of invalid sessions (their wake-up may have
   * been lost), of deleted users, and of sockets that have accepted nothing since the last comparison. Reads the feeds
   * of users who are behind.
   */
  @Interval('compare-feeds', COMPARE_INTERVAL_MS)
  async compare(): Promise<void> {
    if (this.comparing) return;
    this.comparing = true;
    try {
      this.dropStalled();
      await this.endRevoked([...this.subscribers.keys()]);
      // One statement per tenant: only a tenant's own transaction sees its inboxes.
      for (const [tenantId, users] of [...this.tenants]) {
        const ids = [...users.keys()];
        for (let from = 0; from < ids.length; from += USERS_PER_COMPARISON) {
          await this.compareUsers(tenantId, ids.slice(from, from + USERS_PER_COMPARISON));
        }
      }
    } catch (error) {
      this.logger.warn({ event: 'feeds_not_compared', err: error });
    } finally {
      this.comparing = false;
    }
  }

  /** Ends the connections whose token has expired. */
  @Interval('end-expired-sockets', EXPIRY_INTERVAL_MS)
  endExpired(): void {
    const now = this.clock.now();
    for (const socket of [...this.subscribers.keys()]) {
      if (socket.data.expires_at <= now) socket.disconnect(true);
    }
  }

  /** Ends all connections and starts no further reads. Resolves when running reads have ended. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.waiting.clear();
    for (const socket of [...this.subscribers.keys()]) socket.disconnect(true);
    await Promise.all(this.reads.values());
  }

  private async compareUsers(tenantId: string, userIds: readonly string[]): Promise<void> {
    const seqs = await this.reader.seqs(tenantId, userIds);
    const gone = userIds.filter((id) => !seqs.has(id));
    for (const socket of this.socketsOf(tenantId, gone)) socket.disconnect(true);
    const behind = userIds.filter((id) => {
      const subscribers = this.tenants.get(tenantId)?.get(id) ?? [];
      return [...subscribers].some((subscriber) => subscriber.isBehind(seqs.get(id) ?? 0));
    });
    this.wake(tenantId, behind);
  }

  private socketsOf(tenantId: string, userIds?: readonly string[]): FeedSocket[] {
    const users = this.tenants.get(tenantId);
    const ids = userIds ?? [...(users?.keys() ?? [])];
    return ids.flatMap((id) => [...(users?.get(id) ?? [])].map(({ socket }) => socket));
  }

  /** One statement for the sessions of many sockets, across tenants. */
  private async endRevoked(sockets: readonly FeedSocket[]): Promise<void> {
    for (let from = 0; from < sockets.length; from += SOCKETS_PER_COMPARISON) {
      const some = sockets.slice(from, from + SOCKETS_PER_COMPARISON);
      const valid = await this.authenticator.areValid(some.map(({ data }) => data));
      some.forEach((socket, place) => {
        if (valid[place] !== true) socket.disconnect(true);
      });
    }
  }

  private dropStalled(): void {
    for (const subscriber of this.subscribers.values()) {
      if (subscriber.drained) this.stalled.delete(subscriber);
      // Not `disconnect`: that would wait for the client and keep the unread data.
      else if (this.stalled.has(subscriber)) subscriber.socket.request.socket.destroy();
      else this.stalled.add(subscriber);
    }
  }

  private startReads(): void {
    for (const tenantId of [...this.waiting.keys()]) {
      if (this.reads.size >= MAX_CONCURRENT_READS) return;
      if (this.reads.has(tenantId)) continue;
      const read = this.read(tenantId, this.nextUsers(tenantId)).finally(() => {
        this.reads.delete(tenantId);
        this.startReads();
      });
      this.reads.set(tenantId, read);
    }
  }

  /** Takes the users of the next query. Any others wait behind the other tenants. */
  private nextUsers(tenantId: string): string[] {
    const waiting = [...(this.waiting.get(tenantId) ?? [])];
    this.waiting.delete(tenantId);
    const later = waiting.slice(USERS_PER_READ);
    if (later.length > 0) this.waiting.set(tenantId, new Set(later));
    return waiting.slice(0, USERS_PER_READ);
  }

  private async read(tenantId: string, userIds: readonly string[]): Promise<void> {
    try {
      const groups = this.groups(tenantId, userIds);
      const answers = await this.reader.since(
        tenantId,
        groups.map(({ asked }) => asked),
        PAGE,
      );
      groups.forEach((group, position) => {
        const answer = answers[position];
        if (answer === undefined) throw new Error('the reader left out an answer');
        this.emit(tenantId, group, answer);
      });
    } catch (error) {
      // The next comparison finds that these users are behind.
      if (!this.closed) this.logger.warn({ event: 'feeds_not_read', tenant_id: tenantId, err: error });
    }
  }

  private emit(tenantId: string, { asked, subscribers }: Group, answer: FeedChanges): void {
    // Some may have disconnected during the query.
    const connected = subscribers.filter(({ socket }) => this.subscribers.has(socket));
    emitChanges(
      connected.map(({ socket }) => socket),
      answer.changes,
    );
    for (const subscriber of connected) {
      if (subscriber.advance(answer)) subscriber.onceDrained(() => this.wake(tenantId, [asked.user_id]));
    }
  }

  /** One group per user and cursor, without sockets that have not accepted their last page yet. */
  private groups(tenantId: string, userIds: readonly string[]): Group[] {
    const groups: Group[] = [];
    for (const user_id of userIds) {
      const own: Group[] = [];
      for (const subscriber of this.tenants.get(tenantId)?.get(user_id) ?? []) {
        if (!subscriber.drained) {
          subscriber.onceDrained(() => this.wake(tenantId, [user_id]));
          continue;
        }
        const after = subscriber.cursor;
        const group = own.find(({ asked }) => asked.after.seq === after.seq && asked.after.id === after.id);
        if (group === undefined) own.push({ asked: { user_id, after }, subscribers: [subscriber] });
        else group.subscribers.push(subscriber);
      }
      groups.push(...own);
    }
    return groups;
  }
}
