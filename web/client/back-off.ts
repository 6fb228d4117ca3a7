const FIRST_MS = 500;
const MAX_MS = 30_000;
/** A connection that lasted this long was a good one: the next failure starts at the first delay again. */
const STABLE_MS = 10_000;

/** Delays between attempts: doubled each time, with up to half of it random, so that clients do not return together. */
export class BackOff {
  private step = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** Calls `act` after the next delay, in place of one that waits. */
  schedule(act: () => void): void {
    const delay = Math.min(MAX_MS, FIRST_MS * 2 ** this.step) * (0.5 + Math.random() / 2);
    this.step++;
    this.wait(delay, act);
  }

  /** Starts over with the first delay once the connection has lasted. */
  succeeded(): void {
    this.wait(STABLE_MS, () => {
      this.step = 0;
    });
  }

  /** Forgets what waits, and starts over with the first delay: the network is back, or a person asked. */
  reset(): void {
    this.step = 0;
    this.cancel();
  }

  cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private wait(ms: number, act: () => void): void {
    this.cancel();
    this.timer = setTimeout(act, ms);
  }
}
