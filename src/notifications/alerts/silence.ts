import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound } from '../../platform/errors/problem.js';
import { Notifications } from '../notifications.service.js';
import { MAX_SNOOZE_DAYS } from './alerts.dto.js';
import { LOCK_MARKS, type Marks, SET_MARKS, SHOW_MARKS } from './silence.sql.js';

const DAY_MS = 24 * 3_600_000;

/** The new marks of an alert; null: it needs no change. */
type Change = (marks: Marks) => Marks | null;

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

  /**
   * Acknowledges an alert. Repeating it changes nothing: the first person is kept.
   * @throws Problem not_found
   */
  async acknowledge(tx: TenantTransaction, alertId: string, marker: Marker): Promise<void> {
    await this.markOne(tx, alertId, marker, this.acknowledgedBy(marker));
  }

  /** The same for many; unknown ones are skipped. @returns how many were not acknowledged yet */
  async acknowledgeMany(tx: TenantTransaction, alertIds: readonly string[], marker: Marker): Promise<number> {
    return (await this.mark(tx, alertIds, marker, this.acknowledgedBy(marker))).changed;
  }

  /** Undoes `acknowledge`: suppressed messages are sent, and later stages announced. @throws Problem not_found */
  async unacknowledge(tx: TenantTransaction, alertId: string, marker: Marker): Promise<void> {
    await this.markOne(tx, alertId, marker, (marks) =>
      marks.acknowledged_at === null ? null : { ...marks, acknowledged_at: null, acknowledged_by: null },
    );
  }

  /**
   * Nobody is notified until this instant; the first check after it announces the fact again, once. null undoes it.
   * @throws Problem not_found; validation_failed for none, one that is not in the future, or more than 90 days ahead.
   */
  async snooze(
    tx: TenantTransaction,
    alertId: string,
    marker: Marker,
    until: Date | null | undefined,
  ): Promise<void> {
    await this.markOne(tx, alertId, marker, (marks) => snoozedUntil(marks, this.checkedUntil(until)));
  }

  /**
   * The same for many; unknown ones are skipped.
   * @returns how many alerts changed
   * @throws Problem validation_failed
   */
  async snoozeMany(
    tx: TenantTransaction,
    alertIds: readonly string[],
    marker: Marker,
    until: Date | null | undefined,
  ): Promise<number> {
    const checked = this.checkedUntil(until);
    return (await this.mark(tx, alertIds, marker, (marks) => snoozedUntil(marks, checked))).changed;
  }

  private acknowledgedBy({ user_id }: Marker): Change {
    const now = this.clock.now();
    return (marks) =>
      marks.acknowledged_at === null ? { ...marks, acknowledged_at: now, acknowledged_by: user_id } : null;
  }

  /** @throws Problem not_found */
  private async markOne(
    tx: TenantTransaction,
    alertId: string,
    marker: Marker,
    change: Change,
  ): Promise<void> {
    const { found } = await this.mark(tx, [alertId], marker, change);
    if (found === 0) throw notFound();
  }

  private async mark(
    tx: TenantTransaction,
    alertIds: readonly string[],
    { user_id, only_notified }: Marker,
    change: Change,
  ): Promise<{ found: number; changed: number }> {
    const found = await tx.query<Marks & { id: string; gone: boolean }>(LOCK_MARKS, [
      tx.tenant_id,
      alertIds,
      only_notified ? user_id : null,
    ]);
    const marked = found.flatMap(({ id, gone, ...marks }) => {
      const changed = change(marks);
      return changed === null || gone ? [] : [{ id, ...changed }];
    });
    if (marked.length === 0) return { found: found.length, changed: 0 };
    const values = [tx.tenant_id, JSON.stringify(marked)];
    await tx.execute(SET_MARKS, values);
    const shown = await tx.query<{ user_id: string }>(SHOW_MARKS, values);
    await this.applyToDeliveries(tx, marked);
    this.notifications.feedsChanged(
      tx,
      shown.map((row) => row.user_id),
    );
    return { found: found.length, changed: marked.length };
  }

  private async applyToDeliveries(
    tx: TenantTransaction,
    marked: readonly (Marks & { id: string })[],
  ): Promise<void> {
    const idsOf = (which: (marks: Marks) => boolean) => marked.filter(which).map(({ id }) => id);
    const acknowledged = idsOf((marks) => marks.acknowledged_at !== null);
    const snoozed = idsOf((marks) => marks.acknowledged_at === null && marks.snoozed_until !== null);
    const neither = idsOf((marks) => marks.acknowledged_at === null && marks.snoozed_until === null);
    if (acknowledged.length > 0) await this.outbox.alertsSilenced(tx, acknowledged, 'acknowledged');
    if (snoozed.length > 0) await this.outbox.alertsSilenced(tx, snoozed, 'snoozed');
    if (neither.length > 0) await this.outbox.alertsUnsilenced(tx, neither);
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

function snoozedUntil(marks: Marks, snoozed_until: Date | null): Marks | null {
  return marks.snoozed_until?.getTime() === snoozed_until?.getTime() ? null : { ...marks, snoozed_until };
}
