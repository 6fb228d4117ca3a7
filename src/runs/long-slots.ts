/** How long a place that was taken just now is waited for, in ms. */
const PATIENCE_MS = 1_000;

/**
 * The places that long jobs have among a process's slots of one queue: all but one, so that short jobs never wait for
 * a long one to end. A process with one slot has one place. Not p-limit: a caller that waits for it cannot give up.
 */
export class LongSlots {
  private readonly places: number;
  /** When each that has a place began, in ms of the monotonic clock. */
  private readonly began = new Map<symbol, number>();
  private readonly waiting: (() => void)[] = [];

  /** @param slots how many jobs of the queue this process does at the same time. */
  constructor(slots: number) {
    this.places = Math.max(1, slots - 1);
  }

  /**
   * A place; null when long jobs have them all. One that was taken less than a second ago is waited for: most runs
   * find little to do and end at once, and a thousand of them must not be requeued for lack of a place.
   * @returns a function that releases the place.
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

  /** Resolves when a place is free, or when every long job has run longer than PATIENCE_MS. */
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
