import { asEnded, type DueItem, endedAt, type Kind, type KindApi } from './due-item-api.js';

/** Ends and reopens items: shown at once, rolled back if the server refuses. */
export class DueItemActs {
  private readonly busy = new Set<string>();

  /** @param patch changes the item where it is shown. @returns rolls it back */
  constructor(
    private readonly kind: Kind,
    private readonly api: Pick<KindApi, 'end' | 'reopen'>,
    private readonly patch: (id: string, changes: Partial<DueItem>) => () => void,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Ends an open item, or reopens an ended one. While it is under way, another call for the item does nothing.
   * @returns what was done; null: nothing
   * @throws RequestError; the item is shown as before
   */
  async toggle(item: DueItem): Promise<'ended' | 'reopened' | null> {
    if (this.busy.has(item.id)) return null;
    this.busy.add(item.id);
    const ends = endedAt(item) === null;
    const undo = this.patch(item.id, asEnded(this.kind, ends ? new Date(this.now()).toISOString() : null));
    try {
      const saved = await (ends ? this.api.end(item.id) : this.api.reopen(item.id));
      this.patch(item.id, saved);
      return ends ? 'ended' : 'reopened';
    } catch (error) {
      undo();
      throw error;
    } finally {
      this.busy.delete(item.id);
    }
  }
}
