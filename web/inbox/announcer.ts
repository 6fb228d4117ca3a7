const INTERVAL_MS = 5_000;

/** What a screen reader hears: at most one message per 5 s, and of several only the last. */
export class Announcer {
  private waiting: string | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** @param say puts the text into the live region. */
  constructor(private readonly say: (text: string) => void) {}

  announce(text: string): void {
    if (this.timer !== null) {
      this.waiting = text;
      return;
    }
    this.say(text);
    this.timer = setTimeout(() => {
      this.timer = null;
      const next = this.waiting;
      this.waiting = null;
      if (next !== null) this.announce(next);
    }, INTERVAL_MS);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.waiting = null;
  }
}
