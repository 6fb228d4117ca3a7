const TIMEOUT_MS = 15_000;

/**
 * The answer of one request, kept while it is requested again. An answer to a request from before a local change does
 * not undo that change. No DOM.
 */
export class Resource<Value> {
  value: Value | null = null;
  /** Why the last request failed; null: it did not. The last value stays. */
  fault: unknown = null;
  /** When the value was loaded, in ms of this machine. */
  loadedAt: number | null = null;
  isLoading = false;
  private running: AbortController | null = null;
  private key: string | null = null;
  /** How often the value was changed here. */
  private changes = 0;

  /** @param timeoutMs a server that answers later counts as unreachable */
  constructor(
    private readonly request: (signal: AbortSignal) => Promise<Value>,
    private readonly onChange: () => void,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {}

  /** Loads what `request` asks for under this key, such as an id. The same key again does nothing. */
  open(key: string): void {
    if (key === this.key) return;
    Object.assign(this, { key, value: null, fault: null, loadedAt: null });
    void this.load();
  }

  /** Asks; only the newest request counts. */
  async load(): Promise<void> {
    this.running?.abort();
    const running = new AbortController();
    const { changes } = this;
    this.running = running;
    this.isLoading = true;
    this.onChange();
    try {
      const signal = AbortSignal.any([running.signal, AbortSignal.timeout(this.timeoutMs)]);
      const value = await this.request(signal);
      if (running.signal.aborted) return;
      // The server may have read this answer before the change.
      if (changes !== this.changes) {
        await this.load();
        return;
      }
      Object.assign(this, { value, fault: null, loadedAt: Date.now() });
    } catch (error) {
      if (running.signal.aborted) return;
      this.fault = error;
    }
    this.isLoading = false;
    this.onChange();
  }

  /** Changes the value at once. @returns rolls it back, unless another key was opened meanwhile */
  change(to: (value: Value) => Value): () => void {
    const { value: before, key } = this;
    if (before === null) return () => undefined;
    this.put(to(before));
    return () => {
      if (key === this.key) this.put(before);
    };
  }

  /** The page is left: ends the request. */
  stop(): void {
    this.running?.abort();
    this.isLoading = false;
  }

  private put(value: Value): void {
    this.changes += 1;
    this.value = value;
    this.onChange();
  }
}
