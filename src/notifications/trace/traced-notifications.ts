import { Injectable } from '@nestjs/common';
import { shownAddressSql } from '../../delivery/forgotten-address.sql.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { DELIVERY_COLUMNS, HISTORY_COLUMN, PROVIDER_EVENTS_COLUMN } from '../deliveries/deliveries.sql.js';
import { WORDED_COLUMNS, type WordedRow } from '../views/notification-views.js';
import { byChannel, type ChainedDelivery, type ChainedNotification, chainOf, Chains } from './chains.js';
import type { TracedAlert } from './alert-steps.js';
import type { StepWriter } from './step-writer.js';
import type { ChannelChain, TraceStep } from './trace-step.dto.js';

const MAX_DELIVERIES = 100;

export type TracedRow = WordedRow & ChainedNotification;

/** Finds the notification that a recipient got about something, and its chain. */
@Injectable()
export class TracedNotifications {
  constructor(private readonly chains: Chains) {}

  /**
   * The named notification if it is one of these recipients', else their newest one of the alert; null if they got none.
   * Indexes: primary key, notifications_alert
   */
  async ofRecipient(
    tx: TenantTransaction,
    { notification_id, alert_id, recipients }: FoundNotification,
  ): Promise<TracedRow | null> {
    return tx.one<TracedRow>(
      `SELECT ${WORDED_COLUMNS}, n.alert_id, n.user_id, n.recipient, n.created_by
       FROM notifications n
       WHERE n.tenant_id = $1 AND (n.id = $2::uuid OR n.alert_id = $3::uuid) AND n.recipient = ANY ($4::text[])
       ORDER BY n.id = $2::uuid DESC NULLS LAST, n.created_at DESC, n.id DESC LIMIT 1`,
      [tx.tenant_id, notification_id, alert_id, recipients],
    );
  }

  /** Its steps before the channels, its outcome on each channel, and its alert. */
  async chain(
    tx: TenantTransaction,
    row: TracedRow,
    write: StepWriter,
  ): Promise<{ steps: TraceStep[]; channels: ChannelChain[]; alert: TracedAlert | null }> {
    const alert = await this.chains.alert(tx, row);
    const steps = await this.chains.origin(tx, row, alert, write);
    const deliveries = await tx.query<ChainedDelivery>(
      `SELECT ${DELIVERY_COLUMNS}, ${shownAddressSql('d')} AS address, d.created_at, d.ended_at, ${PROVIDER_EVENTS_COLUMN}, ${HISTORY_COLUMN}
       FROM deliveries d WHERE d.tenant_id = $1 AND d.notification_id = $2 ORDER BY d.id LIMIT ${MAX_DELIVERIES}`,
      [tx.tenant_id, row.id],
    );
    const each = await this.chains.deliveries(tx, row, deliveries, write);
    const used = deliveries.map(({ channel, address }, at) =>
      chainOf(channel, address, each[at] ?? [], write.step('queued')),
    );
    const names = new Set(deliveries.map(({ channel }) => channel));
    return {
      steps,
      alert,
      channels: [...used, ...(await this.chains.notUsed(tx, row, names, write))].sort(byChannel),
    };
  }
}

/** What to find: a notification, or the notification of an alert. */
export interface FoundNotification {
  notification_id: string | null;
  alert_id: string | null;
  recipients: readonly string[];
}
