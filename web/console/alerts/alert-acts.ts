import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';

export type Alert = components['schemas']['AlertView'];
export type AlertDetail = components['schemas']['AlertDetail'];
export type Act = 'acknowledge' | 'unacknowledge' | 'unsnooze' | 'resolve' | { until: Date };
/** The name of an act, for its words. */
export type ActName = 'acknowledge' | 'unacknowledge' | 'snooze' | 'unsnooze' | 'resolve';
/** Shows a change of a row. @returns rolls it back */
type Show = (id: string, changes: Partial<Alert>) => () => void;

export function nameOf(act: Act): ActName {
  return typeof act === 'object' ? 'snooze' : act;
}

/** What the alert looks like after an act, before the server answers. */
export function afterAct(act: Act, alert: Alert, me: string | null, now: Date): Partial<Alert> {
  const snoozed = alert.snoozed_until === null ? 'open' : 'snoozed';
  if (typeof act === 'object') {
    const snoozed_until = act.until.toISOString();
    return { snoozed_until, state: alert.acknowledged_at === null ? 'snoozed' : 'acknowledged' };
  }
  switch (act) {
    case 'acknowledge':
      return { state: 'acknowledged', acknowledged_at: now.toISOString(), acknowledged_by: me };
    case 'unacknowledge':
      return { state: snoozed, acknowledged_at: null, acknowledged_by: null };
    case 'unsnooze':
      return { state: alert.acknowledged_at === null ? 'open' : 'acknowledged', snoozed_until: null };
    case 'resolve':
      return { state: 'resolved', resolved_at: now.toISOString(), resolved_by: me };
  }
}

/** Sends acts on one alert: optimistic, rolled back on error, one at a time per alert. No DOM. */
export class AlertActs {
  private readonly busy = new Set<string>();

  constructor(
    private readonly api: Pick<ApiClient, 'post' | 'now'>,
    private readonly me: string | null,
    private readonly show: Show,
  ) {}

  /** @returns the alert as the server has it; null: another act is under way. @throws RequestError */
  async run(alert: Alert, act: Act): Promise<Alert | null> {
    if (this.busy.has(alert.id)) return null;
    this.busy.add(alert.id);
    const undo = this.show(alert.id, afterAct(act, alert, this.me, new Date(this.api.now())));
    try {
      const changed = await this.send(alert.id, act);
      this.show(alert.id, changed);
      return changed;
    } catch (error) {
      undo();
      throw error;
    } finally {
      this.busy.delete(alert.id);
    }
  }

  private send(id: string, act: Act): Promise<Alert> {
    const params = { path: { id } };
    if (typeof act === 'object') {
      return this.api.post('/api/v1/alerts/{id}/snooze', {
        params,
        body: { until: act.until.toISOString() },
      });
    }
    switch (act) {
      case 'acknowledge':
        return this.api.post('/api/v1/alerts/{id}/acknowledge', { params });
      case 'unacknowledge':
        return this.api.post('/api/v1/alerts/{id}/unacknowledge', { params });
      case 'unsnooze':
        return this.api.post('/api/v1/alerts/{id}/snooze', { params, body: { until: null } });
      case 'resolve':
        return this.api.post('/api/v1/alerts/{id}/resolve', { params });
    }
  }
}
