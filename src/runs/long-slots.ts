/** How long to wait for a slot that was taken just now, in ms. */
const PATIENCE_MS = 1_000;

/**
 * The slots of a process's queue that long jobs may use: all but one, so that short jobs never wait for a long one. A
 * process with one slot has one. Not p-limit: its waiting callers cannot give up.
 */
export class LongSlots {
  private readonly places: number;
  /** When each holder started, in ms of the monotonic clock. */
  private readonly began = new Map<symbol, number>();
  private readonly waiting: (() => void)[] = [];

  /** @param slots how many jobs of the queue this process runs concurrently. */
  constructor(slots: number) {
    this.places = Math.max(1, slots - 1);
  }

  /**
   * Takes a slot; null if long jobs have all of them. Waits for a slot that was taken less than a second ago: most runs
   * have little to do and finish at once, and a thousand of them must not be requeued for lack of a slot.
   * @returns a function that releases the slot.
   */
  async take(): Promise<(() => void) | null> {
    if (this.began.size >= this.places) await this.waitForPlace();
    if (this.began.size >= this.places) return null;
    const place = Symbol('place');
    this.began.set(place, performance.now());
    return () => {
      this.began.delete(place);
      this.waiting.shift()?.();
    };
  }

  /** Resolves when a slot is free, or every long job has run longer than PATIENCE_MS. */
  private async waitForPlace(): Promise<void> {
    const patience = Math.max(...this.began.values()) + PATIENCE_MS - performance.now();
    if (patience <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(left), 1);
        resolve();
      }, patience);
      const left = () => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting.push(left);
    });
  }
}
