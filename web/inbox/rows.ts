import type { FeedPage } from '../client/rest.js';
import type { Notification } from '../client/types.js';

/** The fields of a notification that an action changes. */
export type Change = Partial<
  Pick<Notification, 'read_at' | 'archived_at' | 'acknowledged_at' | 'acknowledged_by' | 'snoozed_until'>
>;

/** The rows of a list, and those that wait above it so that nothing moves under a person's pointer. */
export class Rows {
  shown: Notification[] = [];
  /** Newest first. */
  arrived: Notification[] = [];
  /** Where the list continues. */
  next: string | null = null;
  /** Set if more arrived than one request returns: where the rows between them and the list continue. */
  private gap: string | null = null;
  private newest: { seq: number; cursor: string } | null = null;

  /** The greatest cursor received so far, by its number; null before the first one. */
  get newestCursor(): string | null {
    return this.newest?.cursor ?? null;
  }

  get length(): number {
    return this.shown.length + this.arrived.length;
  }

  has(id: string): boolean {
    return [...this.shown, ...this.arrived].some((row) => row.id === id);
  }

  clear(): void {
    this.shown = [];
    this.arrived = [];
    this.next = null;
    this.gap = null;
  }

  /** A first page. @param isOpen Rows that are newer than those that a person sees wait. */
  refresh({ data, next_cursor }: FeedPage, isOpen: boolean): void {
    data.forEach((row) => this.note(row));
    const top = this.shown[0];
    this.arrived = isOpen && top !== undefined ? data.filter((row) => isNewer(row, top)) : [];
    this.gap = null;
    if (this.arrived.length === data.length && next_cursor !== null) {
      this.gap = next_cursor;
      return;
    }
    this.shown = data.slice(this.arrived.length);
    this.next = next_cursor;
  }

  append({ data, next_cursor }: FeedPage): void {
    this.shown = [...this.shown, ...data.filter(({ id }) => !this.has(id))];
    this.next = next_cursor;
  }

  add(row: Notification, isOpen: boolean): void {
    const top = this.shown[0];
    // An older one that changed belongs further down: it is loaded with its page.
    if (top !== undefined && !isNewer(row, top)) return;
    if (isOpen && top !== undefined) this.arrived = [row, ...this.arrived];
    else this.shown = [row, ...this.shown];
  }

  /** Puts the rows that arrived at the top of the list. */
  showArrived(): void {
    if (this.gap === null) this.shown = [...this.arrived, ...this.shown];
    else {
      this.shown = this.arrived;
      this.next = this.gap;
    }
    this.arrived = [];
    this.gap = null;
  }

  replace(id: string, change: (row: Notification) => Notification): void {
    const changed = (rows: Notification[]) =>
      rows
        .map((row) => (row.id === id ? change(row) : row))
        .filter(({ archived_at }) => archived_at === null);
    this.shown = changed(this.shown);
    this.arrived = changed(this.arrived);
  }

  /** Remembers the greatest cursor. */
  note({ cursor }: Notification): void {
    const seq = Number.parseInt(cursor);
    if (!(seq <= (this.newest?.seq ?? 0))) this.newest = { seq, cursor };
  }
}

/** In the order of the feed. */
function isNewer(one: Notification, other: Notification): boolean {
  return one.created_at === other.created_at ? one.id > other.id : one.created_at > other.created_at;
}
