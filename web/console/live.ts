/** At most four renders a second. */
const MIN_GAP_MS = 250;

export type LiveState = 'live' | 'connecting' | 'lost';

/** The document: whether somebody can see the page. */
export interface Visibility {
  readonly visibilityState: string;
  addEventListener: (type: 'visibilitychange', listener: () => void) => void;
  removeEventListener: (type: 'visibilitychange', listener: () => void) => void;
}

/**
 * Tells pages that something may have changed: a frame on the live connection, a new sign-in, or time that has passed.
 * At most four times a second, and never while the tab is hidden: then once when it is shown.
 */
export class Live {
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private lastAt = 0;
  private isPending = false;
  private isStateNew = false;
  private connection: LiveState = 'connecting';
  private isAnswered = true;
  /** When the server last answered or sent something, in ms of this machine; null: not yet. */
  heardAt: number | null = null;

  /** @param onState called when the state or `heardAt` has changed, as rarely as the pages. */
  constructor(
    private readonly onState: () => void,
    private readonly page: Visibility,
  ) {
    page.addEventListener('visibilitychange', this.onVisible);
  }

  get state(): LiveState {
    return this.isAnswered ? this.connection : 'lost';
  }

  /** Whether somebody can see the page. */
  get isShown(): boolean {
    return this.page.visibilityState === 'visible';
  }

  /**
   * Calls the page when something may have changed; with `everyMs` also that long after the last call.
   * @returns ends it. Call it in `disconnectedCallback`.
   */
  subscribe(listener: () => void, { everyMs }: { everyMs?: number } = {}): () => void {
    this.listeners.add(listener);
    const interval =
      everyMs === undefined
        ? null
        : setInterval(() => {
            if (this.isShown) listener();
          }, everyMs);
    return () => {
      this.listeners.delete(listener);
      if (interval !== null) clearInterval(interval);
    };
  }

  /** Something may have changed. */
  changed(): void {
    if (this.isPending) return;
    this.isPending = true;
    if (this.page.visibilityState !== 'hidden') this.schedule();
  }

  /** The server has answered or sent something. */
  heard(): void {
    this.heardAt = Date.now();
    this.isAnswered = true;
    this.report();
  }

  /** A request got no answer: the connection counts as lost until the server is heard again. */
  missed(): void {
    this.isAnswered = false;
    this.report();
  }

  /** The state of the live connection. */
  enter(state: LiveState): void {
    if (state === this.connection) return;
    this.connection = state;
    this.report();
  }

  stop(): void {
    this.page.removeEventListener('visibilitychange', this.onVisible);
    if (this.timer !== null) clearTimeout(this.timer);
    this.listeners.clear();
  }

  private report(): void {
    this.isStateNew = true;
    if (this.page.visibilityState !== 'hidden') this.schedule();
  }

  private schedule(): void {
    // The machine's clock may have been set back.
    const gap = Math.min(MIN_GAP_MS, Math.max(0, this.lastAt + MIN_GAP_MS - Date.now()));
    this.timer ??= setTimeout(() => this.tell(), gap);
  }

  private tell(): void {
    const { isPending, isStateNew } = this;
    this.timer = null;
    if (this.page.visibilityState === 'hidden') return;
    this.lastAt = Date.now();
    this.isPending = false;
    this.isStateNew = false;
    if (isStateNew) this.onState();
    if (isPending) for (const listener of [...this.listeners]) listener();
  }

  private readonly onVisible = (): void => {
    if (this.page.visibilityState === 'visible' && (this.isPending || this.isStateNew)) this.schedule();
  };
}
