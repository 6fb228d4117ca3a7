import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import { RequestError } from '../../client/rest.js';

export type Trace = components['schemas']['NotificationTrace'];
export type TracedDelivery = components['schemas']['TracedDelivery'];

/** A notification and what happened to it. No DOM. */
export class TraceState {
  trace: Trace | null = null;
  /** Why it could not be loaded; null: it was, or it is not there. */
  fault: unknown = null;
  /** It was deleted, or never existed, or belongs to somebody else. */
  isGone = false;
  private id = '';

  constructor(private readonly onChange: () => void) {}

  /** Loads another notification, or the same one again: then what is shown stays until it arrives. */
  async load(api: ApiClient, id: string): Promise<void> {
    if (id !== this.id) Object.assign(this, { trace: null, isGone: false, id });
    try {
      const trace = await api.get('/api/v1/notifications/{id}/trace', { params: { path: { id } } });
      if (id !== this.id) return;
      Object.assign(this, { trace, fault: null });
    } catch (error) {
      if (id !== this.id) return;
      const code = error instanceof RequestError ? error.code : null;
      // A truncated address has no valid id.
      this.isGone = code === 'not_found' || code === 'validation_failed';
      this.fault = this.isGone ? null : error;
    }
    this.onChange();
  }
}
