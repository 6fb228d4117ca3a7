import { BackOff } from '../client/back-off.js';
import { Emitter } from '../client/emitter.js';
import { type Mark, RequestError } from '../client/rest.js';
import type { Notification } from '../client/types.js';
import type { VigieClient } from '../client/vigie-client.js';
import { ALL, type Filter, kindsOf, matches } from './filter.js';
import { type Change, Rows } from './rows.js';

/** Rows of a request: an inbox of 10,000 unread costs no more than one of 20. */
const PAGE = 20;
/** The most rows that one request returns. */
const MAX_PAGE = 200;

export type Phase = 'idle' | 'loading' | 'list' | 'failed' | 'signed-out' | 'incompatible';

interface StoreEvents {
  change: undefined;
  received: Notification;
  /** An action was refused and rolled back. */
  failed: undefined;
}

/**
 * The list of an inbox and a person's actions on it. Actions show at once, and are rolled back if the server
 * refuses them. New notifications wait in `arrived` while the list is open, so that nothing moves under a
 * person's pointer.
 */
export class InboxStore extends Emitter<StoreEvents> {
  phase: Phase = 'idle';
  filter = ALL;
  /** When the server last confirmed the list, in ms of its clock. */
  confirmedAt: number | null = null;
  isLoadingMore = false;
  isOpen = false;
  private readonly rows = new Rows();
  private readonly changes = new Map<string, Change>();
  private readonly reload = new BackOff();
  private wasLive = false;
  /** Answers of an older request are ignored. */
  private request = 0;
  private reading = Promise.resolve();

  constructor(readonly client: VigieClient) {
    super();
    client.on('notification', ({ notification, isNew }) => this.take(notification, isNew));
    client.on('resync', () => {
      if (this.phase !== 'idle') void this.load();
    });
    // Nobody sees the list of somebody else, not even until their own is loaded.
    client.on('otherUser', () => {
      this.request++;
      this.clear();
      if (this.isOpen) void this.load();
    });
    client.on('state', (state) => {
      if (this.wasLive) this.confirmedAt = client.now();
      this.wasLive = state === 'live';
      if (state === 'auth-required') this.enter('signed-out');
      if (this.wasLive && (this.phase === 'failed' || this.phase === 'signed-out')) void this.load();
      this.changed();
    });
    client.on('count', () => this.changed());
  }

  /** What the list shows: rows with the changes of actions whose answer is awaited. */
  get items(): readonly Notification[] {
    return this.rows.shown
      .map((row) => ({ ...row, ...this.changes.get(row.id) }))
      .filter(({ archived_at }) => archived_at === null);
  }

  /** How many arrived while the list was open. */
  get arrived(): number {
    return this.rows.arrived.length;
  }

  get hasMore(): boolean {
    return this.rows.next !== null;
  }

  /** The cursor of the newest change that this inbox has; null before the first one. */
  get newestCursor(): string | null {
    return this.rows.newestCursor;
  }

  isBusy(id: string): boolean {
    return this.changes.has(id);
  }

  stop(): void {
    this.client.stop();
    this.reload.cancel();
  }

  setFilter(filter: Partial<Filter>): void {
    this.filter = { ...this.filter, ...filter };
    this.clear();
    void this.load();
  }

  /** Reads the first page, unless the list is there and live, or is being read. */
  ensure(): Promise<void> {
    if (this.phase === 'loading') return this.reading;
    return this.phase === 'list' && this.client.state === 'live' ? Promise.resolve() : this.load();
  }

  /** Reads the first page, as long as what is shown, which stays until the answer. */
  load(): Promise<void> {
    this.reading = this.read();
    return this.reading;
  }

  private async read(): Promise<void> {
    const request = ++this.request;
    this.reload.cancel();
    if (this.phase !== 'list') this.enter('loading');
    try {
      const limit = Math.min(MAX_PAGE, Math.max(PAGE, this.rows.length));
      const page = await this.client.rest.feed({ limit, ...this.query() });
      if (request !== this.request) return;
      this.rows.refresh(page, this.isOpen);
      this.confirmedAt = this.client.now();
      this.reload.reset();
      this.enter('list');
    } catch (error) {
      if (request !== this.request) return;
      this.enter(this.phaseAfter(error));
      // A list that could not be read again is out of date.
      if (this.phase === 'list') this.reload.schedule(() => void this.load());
    }
  }

  async loadMore(): Promise<void> {
    const { request, rows } = this;
    if (this.isLoadingMore || rows.next === null) return;
    this.isLoadingMore = true;
    this.changed();
    try {
      const page = await this.client.rest.feed({ limit: PAGE, ...this.query(), cursor: rows.next });
      if (request === this.request) rows.append(page);
    } catch {
      this.emit('failed', undefined);
    } finally {
      this.isLoadingMore = false;
      this.changed();
    }
  }

  showArrived(): void {
    this.rows.showArrived();
    this.changed();
  }

  mark(id: string, mark: Mark): Promise<void> {
    const now = this.now();
    const change: Record<Mark, Change> = {
      read: { read_at: now },
      unread: { read_at: null },
      archive: { archived_at: now },
    };
    return this.act([id], change[mark], () => this.client.rest.mark(id, mark));
  }

  /** Marks everything under the tab as read, up to the newest one that is shown: none that nobody has seen. */
  markAllRead(): Promise<void> {
    this.showArrived();
    const unread = this.items.filter(({ read_at }) => read_at === null).map(({ id }) => id);
    const up_to = this.newestCursor;
    const which = { ...kindsOf(this.filter), ...(up_to === null ? {} : { up_to }) };
    return this.act(unread, { read_at: this.now() }, () => this.client.rest.markAllRead(which));
  }

  acknowledge({ id, alert_id }: Notification, isAcknowledged: boolean): Promise<void> {
    if (alert_id === null) return Promise.resolve();
    const change = { acknowledged_at: isAcknowledged ? this.now() : null, acknowledged_by: null };
    return this.act([id], change, () => this.client.rest.acknowledge(alert_id, isAcknowledged));
  }

  snooze({ id, alert_id }: Notification, until: Date | null): Promise<void> {
    if (alert_id === null) return Promise.resolve();
    const change = { snoozed_until: until?.toISOString() ?? null };
    return this.act([id], change, () => this.client.rest.snooze(alert_id, until));
  }

  /** Shows a change at once; a second action on the same notification waits for the first one's answer. */
  private async act(ids: string[], change: Change, request: () => Promise<unknown>): Promise<void> {
    if (ids.length === 1 && ids.some((id) => this.changes.has(id))) return;
    const isPending = (id: string) => this.changes.get(id) === change;
    for (const id of ids) if (!this.changes.has(id)) this.changes.set(id, change);
    this.changed();
    try {
      await request();
      // The live connection also delivers the stored row. If it did so before this answer, that row is newer.
      for (const id of ids.filter(isPending)) this.rows.replace(id, (row) => ({ ...row, ...change }));
    } catch (error) {
      if (this.phaseAfter(error) === 'signed-out') this.enter('signed-out');
      this.emit('failed', undefined);
    } finally {
      for (const id of ids.filter(isPending)) this.changes.delete(id);
      this.changed();
    }
  }

  /** A live change. Its own actions come back too, as the server stored them. */
  private take(notification: Notification, isNew: boolean): void {
    const { rows } = this;
    const { id } = notification;
    const isKnown = rows.has(id);
    rows.note(notification);
    if (isNew && !isKnown) this.emit('received', notification);
    if (this.phase !== 'list') return;
    this.changes.delete(id);
    if (isKnown) rows.replace(id, () => notification);
    else if (matches(this.filter, notification)) rows.add(notification, this.isOpen);
    this.changed();
  }

  private now(): string {
    return new Date(this.client.now()).toISOString();
  }

  private query() {
    return { ...kindsOf(this.filter), ...(this.filter.unread ? { unread: true } : {}) };
  }

  /** If only the network failed, the list that was loaded before stays. */
  private phaseAfter(error: unknown): Phase {
    const reason = error instanceof RequestError ? error.reason : 'network';
    const { state } = this.client;
    if (reason === 'auth' && state === 'auth-required') return 'signed-out';
    if (reason === 'incompatible') return 'incompatible';
    if (this.rows.length > 0) return 'list';
    // The connection asks for another token; once it has one, the list is loaded.
    return reason === 'auth' && state !== 'live' ? 'loading' : 'failed';
  }

  private clear(): void {
    this.rows.clear();
    this.changes.clear();
    this.enter('idle');
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.changed();
  }

  private changed(): void {
    this.emit('change', undefined);
  }
}
