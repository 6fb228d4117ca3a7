import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { type FeedAsked, FeedChangesReader } from '../notifications/feed/feed-changes.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { type FeedSocket, PAGE, Subscriber } from './subscriber.js';

/** Wake-ups within this time are one look at PostgreSQL. */
const COALESCE_MS = 5;
/** Counts come after notifications: in a burst, everyone has theirs before anyone has a count. */
const COUNT_AFTER_MS = 50;
/** Looks at the same time; each takes a connection of the pool that requests use too. */
const LOOKS_AT_ONCE = 3;
const USERS_A_LOOK = 250;
const USERS_A_COMPARISON = 1_000;
/** How often seqs are compared: what a lost wake-up costs at most. */
const COMPARE_MS = 15_000;
const EXPIRY_MS = 1_000;

type Users = Map<string, Set<Subscriber>>;

/**
 * Keeps the sockets of this process up to date. A wake-up only says whom to look for: what is emitted is what
 * PostgreSQL has after each socket's cursor, so that nothing depends on a wake-up arriving, or arriving once.
 */
@Injectable()
export class LiveFeeds {
  private readonly logger = new Logger('LiveFeeds');
  private readonly tenants = new Map<string, Users>();
  /** Users to look for, by tenant: in the order they came, so that no tenant waits for another's crowd. */
  private readonly waiting = new Map<string, Set<string>>();
  private readonly looking = new Map<string, Promise<void>>();
  private readonly stalled = new Set<Subscriber>();
  private readonly subscribers = new Map<FeedSocket, Subscriber>();
  private readonly uncounted = new Set<Subscriber>();
  private timer: NodeJS.Timeout | null = null;
  private countTimer: NodeJS.Timeout | null = null;
  private comparing = false;
  private closed = false;

  constructor(
    private readonly reader: FeedChangesReader,
    private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

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
    this.uncounted.delete(subscriber);
    subscribers.delete(subscriber);
    if (subscribers.size === 0) users.delete(user_id);
    if (users.size === 0) this.tenants.delete(tenant_id);
  }

  /** Sockets of this user in this process. */
  count(tenantId: string, userId: string): number {
    return this.tenants.get(tenantId)?.get(userId)?.size ?? 0;
  }

  /** The feeds of these users have changed; looks for those who are connected here. */
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
      this.round();
    }, COALESCE_MS);
  }

  /** Ends the connections of these users, or of the whole tenant. */
  revoke(tenantId: string, userIds?: readonly string[]): void {
    const users = this.tenants.get(tenantId);
    for (const id of userIds ?? [...(users?.keys() ?? [])]) {
      for (const { socket } of [...(users?.get(id) ?? [])]) socket.disconnect(true);
    }
  }

  /**
   * Compares how far everyone here is with PostgreSQL: looks again for who is behind, ends the connections of
   * users who are no longer there, and of sockets that have taken nothing since the last comparison.
   */
  @Interval('compare-feeds', COMPARE_MS)
  async compare(): Promise<void> {
    if (this.comparing) return;
    this.comparing = true;
    try {
      this.dropStalled();
      // One statement a tenant: only a tenant's own transaction sees its inboxes.
      for (const [tenantId, users] of [...this.tenants]) {
        const ids = [...users.keys()];
        for (let from = 0; from < ids.length; from += USERS_A_COMPARISON) {
          await this.compareUsers(tenantId, ids.slice(from, from + USERS_A_COMPARISON));
        }
      }
    } catch (error) {
      this.logger.warn({ event: 'feeds_not_compared', err: error });
    } finally {
      this.comparing = false;
    }
  }

  /** Ends the connections whose token has ended. */
  @Interval('end-expired-sockets', EXPIRY_MS)
  endExpired(): void {
    const now = this.clock.now();
    for (const socket of [...this.subscribers.keys()]) {
      if (socket.data.expires_at <= now) socket.disconnect(true);
    }
  }

  /** Looks for nobody any more; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.countTimer !== null) clearTimeout(this.countTimer);
    this.waiting.clear();
    for (const socket of [...this.subscribers.keys()]) socket.disconnect(true);
    await Promise.all(this.looking.values());
  }

  private async compareUsers(tenantId: string, userIds: readonly string[]): Promise<void> {
    const seqs = await this.reader.seqs(tenantId, userIds);
    this.revoke(
      tenantId,
      userIds.filter((id) => !seqs.has(id)),
    );
    const behind = userIds.filter((id) => {
      const subscribers = this.tenants.get(tenantId)?.get(id) ?? [];
      return [...subscribers].some((subscriber) => subscriber.isBehind(seqs.get(id) ?? 0));
    });
    this.wake(tenantId, behind);
  }

  private dropStalled(): void {
    for (const subscriber of this.subscribers.values()) {
      if (subscriber.drained) this.stalled.delete(subscriber);
      // Not `disconnect`: that would wait for the client, and keep what it does not read.
      else if (this.stalled.has(subscriber)) subscriber.socket.request.socket.destroy();
      else this.stalled.add(subscriber);
    }
  }

  private round(): void {
    for (const tenantId of [...this.waiting.keys()]) {
      if (this.looking.size >= LOOKS_AT_ONCE) return;
      if (this.looking.has(tenantId)) continue;
      const look = this.look(tenantId, this.next(tenantId)).finally(() => {
        this.looking.delete(tenantId);
        this.round();
      });
      this.looking.set(tenantId, look);
    }
  }

  /** The users to look for now; those left over go to the end of the line. */
  private next(tenantId: string): string[] {
    const waiting = [...(this.waiting.get(tenantId) ?? [])];
    this.waiting.delete(tenantId);
    const later = waiting.slice(USERS_A_LOOK);
    if (later.length > 0) this.waiting.set(tenantId, new Set(later));
    return waiting.slice(0, USERS_A_LOOK);
  }

  private async look(tenantId: string, userIds: readonly string[]): Promise<void> {
    try {
      const groups = this.groups(tenantId, userIds);
      const answers = await this.reader.since(
        tenantId,
        groups.map(({ asked }) => asked),
        PAGE,
      );
      groups.forEach(({ asked, subscribers }, position) => {
        const answer = answers[position];
        if (answer === undefined) throw new Error('a feed was asked for and not answered');
        for (const subscriber of subscribers) {
          // Gone while PostgreSQL was asked.
          if (!this.subscribers.has(subscriber.socket)) continue;
          if (subscriber.take(answer)) subscriber.onceDrained(() => this.wake(tenantId, [asked.user_id]));
          else this.countSoon(subscriber);
        }
      });
    } catch (error) {
      // The next comparison finds them behind.
      if (!this.closed) this.logger.warn({ event: 'feeds_not_read', tenant_id: tenantId, err: error });
    }
  }

  private countSoon(subscriber: Subscriber): void {
    this.uncounted.add(subscriber);
    this.countTimer ??= setTimeout(() => {
      this.countTimer = null;
      for (const one of this.uncounted) one.tellCount();
      this.uncounted.clear();
    }, COUNT_AFTER_MS);
  }

  /** Sockets of a user that are equally far are one question. Who has not taken the last page waits. */
  private groups(
    tenantId: string,
    userIds: readonly string[],
  ): { asked: FeedAsked; subscribers: Subscriber[] }[] {
    const groups = new Map<string, { asked: FeedAsked; subscribers: Subscriber[] }>();
    for (const user_id of userIds) {
      for (const subscriber of this.tenants.get(tenantId)?.get(user_id) ?? []) {
        if (!subscriber.drained) {
          subscriber.onceDrained(() => this.wake(tenantId, [user_id]));
          continue;
        }
        const after = subscriber.cursor;
        const key = `${user_id} ${after.seq}.${after.id}`;
        const group = groups.get(key) ?? { asked: { user_id, after }, subscribers: [] };
        groups.set(key, group);
        group.subscribers.push(subscriber);
      }
    }
    return [...groups.values()];
  }
}
