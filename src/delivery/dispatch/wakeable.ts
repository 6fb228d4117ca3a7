/** A sleep that can be cut short, also by a call that comes before it begins. */
export class Wakeable {
  private woken = false;
  private interrupt: (() => void) | undefined;

  wake(): void {
    this.woken = true;
    this.interrupt?.();
  }

  /** Resolves after `ms`, or at once when woken since the last sleep. */
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
