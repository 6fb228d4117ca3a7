/** A sleep that a wake-up ends early, even one before it begins. */
export class Wakeable {
  private woken = false;
  private interrupt: (() => void) | undefined;

  wake(): void {
    this.woken = true;
    this.interrupt?.();
  }

  /** Resolves after `ms`, or at once after a wake-up since the last sleep. */
  async sleep(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.interrupt = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.interrupt = undefined;
    this.woken = false;
  }
}
