import { Inject, Injectable } from '@nestjs/common';
import { addDays, instantAt } from '../../platform/clock/civil-time.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { TenantSettings } from '../../tenants/settings/tenant-settings.js';
import { alertColumns, type AlertRow } from '../alerts/alert-row.js';
import { WatchedKinds } from '../alerts/watched.js';
import type { StepWriter } from './step-writer.js';
import type { TraceStep } from './trace-step.dto.js';

const HOUR_MS = 60 * 60 * 1_000;

/** An alert, as explanations need it. */
export type TracedAlert = AlertRow & { last_notified_at: Date | null };

/** What decides about alerts of a tenant. */
export interface TenantRules {
  time_zone: string;
  settings: TenantSettings;
}

/** The columns of a `TracedAlert`. @param a the alert's alias */
export function tracedAlertColumns(a: string): string {
  return `${alertColumns(a)}, ${a}.last_notified_at`;
}

/** Explains alerts: why they were announced, and why not again. */
@Injectable()
export class AlertSteps {
  constructor(
    private readonly watched: WatchedKinds,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async read(tx: TenantTransaction, id: string): Promise<TracedAlert | null> {
    return tx.one<TracedAlert>(
      `SELECT ${tracedAlertColumns('a')} FROM alerts a WHERE a.tenant_id = $1 AND a.id = $2`,
      [tx.tenant_id, id],
    );
  }

  /** Why it was announced at this instant: for the first time, or again. */
  announced(alert: TracedAlert, at: Date, write: StepWriter): TraceStep {
    const { first_seen_at, occurrences: count } = alert;
    if (at.getTime() <= first_seen_at.getTime()) return write.step('opened', { at, count });
    return write.step(this.isWatched(alert) ? 'stage_reached' : 'repeated', { at, count });
  }

  /** Why it is not announced again now. */
  notAgain(alert: TracedAlert, rules: TenantRules, write: StepWriter): TraceStep {
    const { gone_at, resolved_at, resolved_by, acknowledged_at, acknowledged_by, snoozed_until } = alert;
    const count = alert.occurrences;
    if (gone_at !== null) return write.step('fact_gone', { at: gone_at, count, by: resolved_by });
    if (resolved_at !== null) return write.step('resolved', { at: resolved_at, count, by: resolved_by });
    if (acknowledged_at !== null)
      return write.step('acknowledged', { at: acknowledged_at, count, by: acknowledged_by });
    if (snoozed_until !== null && snoozed_until > this.clock.now())
      return write.step('snoozed', { until: snoozed_until, count });
    return write.step('already_notified', { until: this.nextAnnouncement(alert, rules), count });
  }

  /** When it is announced again if nothing changes; null: not. Checks run at the tenant's hours after it. */
  private nextAnnouncement(alert: TracedAlert, { time_zone, settings }: TenantRules): Date | null {
    const watched = this.watched.all().find(({ kind }) => kind === alert.kind);
    if (watched === undefined) {
      const { last_notified_at } = alert;
      const repeat = settings.backups.repeat_after_hours * HOUR_MS;
      return last_notified_at === null ? null : new Date(last_notified_at.getTime() + repeat);
    }
    const { due_on } = alert.data;
    const next = Math.max(...watched.stages(settings).filter((stage) => stage < alert.stage));
    if (typeof due_on !== 'string' || !Number.isFinite(next)) return null;
    return startOf(addDays(due_on, -next), time_zone);
  }

  private isWatched({ kind }: TracedAlert): boolean {
    return this.watched.all().some((watched) => watched.kind === kind);
  }
}

/** The first instant of a civil date, or of the next one that the zone has. */
export function startOf(date: string, zone: string): Date | null {
  return instantAt(date, '00:00', zone) ?? instantAt(addDays(date, 1), '00:00', zone);
}
