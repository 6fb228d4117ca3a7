import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';

export type Overview = components['schemas']['Overview'];

/**
 * What is wrong and due. The frame has one for the title of the window, and the first page shows it. No DOM.
 */
export class OverviewState {
  data: Overview | null = null;
  /** Why the last request failed; null: it did not. */
  fault: unknown = null;
  private readonly listeners = new Set<() => void>();
  private loading: Promise<void> | null = null;
  private reported = 0;
  private isOutdated = false;

  constructor(private readonly api: ApiClient) {}

  /** Late items, backups that are not good, and failed runs. */
  get wrong(): number {
    const { data } = this;
    if (data === null) return this.reported;
    return (
      data.late.total + data.backups.not_good + data.runs.filter(({ state }) => state === 'failed').length
    );
  }

  /** Operators have no overview: they see the number of problems of the installation. */
  report(wrong: number): void {
    if (wrong === this.reported) return;
    this.reported = wrong;
    this.notify();
  }

  /** @returns ends it. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Loads what the page shows, unless a request for it is under way. */
  open(): void {
    if (this.loading === null) void this.load();
  }

  /** Loads it again. While a request is under way, one more follows it, however often this is called. */
  load(): Promise<void> {
    if (this.loading !== null) {
      this.isOutdated = true;
      return this.loading;
    }
    this.loading = this.request().finally(() => {
      this.loading = null;
      if (!this.isOutdated) return;
      this.isOutdated = false;
      void this.load();
    });
    return this.loading;
  }

  private async request(): Promise<void> {
    try {
      this.data = await this.api.get('/api/v1/overview');
      this.fault = null;
    } catch (error) {
      this.fault = error;
    }
    this.notify();
  }

  private notify(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
