import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound } from '../../platform/errors/problem.js';
import { Notifications } from '../notifications.service.js';
import { MAX_SNOOZE_DAYS } from './alerts.dto.js';
import { LOCK_MARKS, type Marks, SET_MARKS, SHOW_MARKS } from './silence.sql.js';

const DAY_MS = 24 * 3_600_000;

/** Who marks an alert. */
export interface Marker {
  /** The user; null for a program or a bare address. */
  user_id: string | null;
  /** Only alerts that this user was notified of; otherwise any of the tenant. */
  only_notified: boolean;
}

/**
 * Acknowledging and snoozing alerts (V16). The fact goes on being checked and counted; nobody is notified of it until it
 * has cleared, or the snooze has ended. The alert's own row decides, so that a check needs no other statement.
 */
@Injectable()
export class AlertSilence {
  constructor(
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Somebody takes care of it. Repeating it changes nothing: the first person counts. */
  async acknowledge(tx: TenantTransaction, alertId: string, marker: Marker): Promise<void> {
    const now = this.clock.now();
    await this.mark(tx, alertId, marker, (marks) =>
      marks.acknowledged_at === null
        ? { ...marks, acknowledged_at: now, acknowledged_by: marker.user_id }
        : null,
    );
  }

  /** Undoes `acknowledge`: suppressed messages are sent, and later stages announced. */
  async unacknowledge(tx: TenantTransaction, alertId: string, marker: Marker): Promise<void> {
    await this.mark(tx, alertId, marker, (marks) =>
      marks.acknowledged_at === null ? null : { ...marks, acknowledged_at: null, acknowledged_by: null },
    );
  }

  /**
   * Nobody is notified until this instant; the first check after it announces the fact again, once. null undoes it.
   * @throws Problem validation_failed for none, one that is not in the future, or more than 90 days ahead.
   */
  async snooze(
    tx: TenantTransaction,
    alertId: string,
    marker: Marker,
    until: Date | null | undefined,
  ): Promise<void> {
    await this.mark(tx, alertId, marker, (marks) => {
      const snoozed_until = this.checkedUntil(until);
      return marks.snoozed_until?.getTime() === snoozed_until?.getTime() ? null : { ...marks, snoozed_until };
    });
  }

  /**
   * @param change the new marks; null: they need no change
   * @throws Problem not_found
   */
  private async mark(
    tx: TenantTransaction,
    alertId: string,
    { user_id, only_notified }: Marker,
    change: (marks: Marks) => Marks | null,
  ): Promise<void> {
    const found = await tx.one<Marks & { gone: boolean }>(LOCK_MARKS, [
      tx.tenant_id,
      alertId,
      only_notified ? user_id : null,
    ]);
    if (found === null) throw notFound();
    const { gone, ...marks } = found;
    const changed = change(marks);
    if (changed === null || gone) return;
    const { acknowledged_at, acknowledged_by, snoozed_until } = changed;
    const values = [tx.tenant_id, alertId, acknowledged_at, acknowledged_by, snoozed_until];
    await tx.execute(SET_MARKS, values);
    const shown = await tx.query<{ user_id: string }>(SHOW_MARKS, values);
    if (acknowledged_at !== null) await this.outbox.alertSilenced(tx, alertId, 'acknowledged');
    else if (snoozed_until !== null) await this.outbox.alertSilenced(tx, alertId, 'snoozed');
    else await this.outbox.alertUnsilenced(tx, alertId);
    this.notifications.feedsChanged(
      tx,
      shown.map((row) => row.user_id),
    );
  }

  private checkedUntil(until: Date | null | undefined): Date | null {
    if (until === undefined) throw invalid('/until', 'must be an instant, or null');
    if (until === null) return null;
    const ahead = until.getTime() - this.clock.now().getTime();
    if (!(ahead > 0)) throw invalid('/until', 'must be in the future');
    if (ahead > MAX_SNOOZE_DAYS * DAY_MS) throw invalid('/until', `must be within ${MAX_SNOOZE_DAYS} days`);
    return until;
  }
}
