/**
 * Counts the holders of places, up to a limit per key. Taking one is atomic: there is no wait between check and count.
 */
export class Places {
  private readonly taken = new Map<string, number>();

  /** @param max per key; 0: no limit. */
  constructor(private readonly max: number) {}

  /** @returns a function that releases the place once, however often it is called; null when all are taken. */
  take(key: string): (() => void) | null {
    const taken = this.taken.get(key) ?? 0;
    if (this.max > 0 && taken >= this.max) return null;
    this.taken.set(key, taken + 1);
    let held = true;
    return () => {
      if (held) this.release(key);
      held = false;
    };
  }

  private release(key: string): void {
    const left = (this.taken.get(key) ?? 0) - 1;
    if (left > 0) this.taken.set(key, left);
    else this.taken.delete(key);
  }
}
