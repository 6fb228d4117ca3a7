import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';

export type AlertDetail = components['schemas']['AlertDetail'];

/** One alert with who was notified of it. No DOM. */
export class AlertDetailState {
  phase: 'loading' | 'shown' | 'failed' = 'loading';
  fault: unknown = null;
  alert: AlertDetail | null = null;
  private id: string | null = null;
  private loading: AbortController | null = null;

  constructor(
    private readonly api: Pick<ApiClient, 'get'>,
    private readonly onChange: () => void,
  ) {}

  /** Shows this alert; another one first as loading. */
  async open(id: string): Promise<void> {
    if (id !== this.id) {
      this.phase = 'loading';
      this.alert = null;
    }
    this.id = id;
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const { id } = this;
    if (id === null) return;
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    try {
      const alert = await this.api.get('/api/v1/alerts/{id}', {
        params: { path: { id } },
        signal: loading.signal,
      });
      if (loading.signal.aborted) return;
      Object.assign(this, { alert, phase: 'shown', fault: null });
    } catch (error) {
      if (loading.signal.aborted) return;
      this.fault = error;
      // What is shown stays, if only the refresh failed.
      if (this.alert === null) this.phase = 'failed';
    }
    this.onChange();
  }

  /** Changes what is shown at once. @returns rolls it back */
  patch(changes: Partial<AlertDetail>): () => void {
    const before = this.alert;
    if (before !== null) this.alert = { ...before, ...changes };
    this.onChange();
    return () => {
      this.alert = before;
      this.onChange();
    };
  }

  stop(): void {
    this.loading?.abort();
  }
}
