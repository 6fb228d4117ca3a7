const TIMEOUT_MS = 15_000;

/** The answer of one request, kept while it is requested again. No DOM. */
export class Resource<Value> {
  value: Value | null = null;
  /** Why the last request failed; null: it did not. The last value stays. */
  fault: unknown = null;
  /** When the value was loaded, in ms of this machine. */
  loadedAt: number | null = null;
  isLoading = false;
  private running: AbortController | null = null;

  /** @param timeoutMs a server that answers later counts as unreachable */
  constructor(
    private readonly request: (signal: AbortSignal) => Promise<Value>,
    private readonly onChange: () => void,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {}

  /** Asks; only the newest request counts. */
  async load(): Promise<void> {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.isLoading = true;
    this.onChange();
    try {
      const signal = AbortSignal.any([running.signal, AbortSignal.timeout(this.timeoutMs)]);
      const value = await this.request(signal);
      if (running.signal.aborted) return;
      Object.assign(this, { value, fault: null, loadedAt: Date.now() });
    } catch (error) {
      if (running.signal.aborted) return;
      this.fault = error;
    }
    this.isLoading = false;
    this.onChange();
  }

  /** The page is left: ends the request. */
  stop(): void {
    this.running?.abort();
    this.isLoading = false;
  }
}
