import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { DELIVERY_COLUMNS, RECIPIENT_NAME } from '../deliveries/deliveries.sql.js';
import { NotificationViews } from '../views/notification-views.js';
import type { ReaderRow } from '../views/reader.js';
import type { AlertDelivery, AlertRecipient } from './alert-detail.dto.js';

/** Maximum number of messages that a detail shows. */
const MAX_MESSAGES = 200;

type DeliveryColumns = Omit<AlertDelivery, 'status_label'>;
type RecipientRow = Omit<AlertRecipient, 'deliveries'> &
  (DeliveryColumns | { [Column in keyof DeliveryColumns]: null });

/** Reads who was notified of an alert, and how. */
@Injectable()
export class AlertRecipients {
  constructor(private readonly views: NotificationViews) {}

  /** @param showAddresses whether the reader may see addresses, also those in errors */
  async of(
    tx: TenantTransaction,
    alertId: string,
    reader: ReaderRow,
    showAddresses: boolean,
  ): Promise<AlertRecipient[]> {
    const rows = await tx.query<RecipientRow>(NOTIFIED, [tx.tenant_id, alertId, showAddresses, MAX_MESSAGES]);
    const recipients = new Map<string, AlertRecipient>();
    for (const row of rows) {
      const { notification_id, name, recipient, notified_at } = row;
      const known = recipients.get(notification_id) ?? {
        ...{ notification_id, name, recipient, notified_at },
        deliveries: [],
      };
      recipients.set(notification_id, known);
      if (row.id !== null) known.deliveries.push(this.delivery(row, reader));
    }
    return [...recipients.values()];
  }

  private delivery(row: DeliveryColumns, reader: ReaderRow): AlertDelivery {
    return {
      id: row.id,
      channel: row.channel,
      status: row.status,
      status_label: this.views.statusLabel(row.status, reader),
      state: row.state,
      due_at: row.due_at,
      defer_reason: row.defer_reason,
      reason: row.reason,
      error: row.error,
      sent_at: row.sent_at,
      delivered_at: row.delivered_at,
    };
  }
}

/** $1 tenant id, $2 alert id, $3 with addresses, $4 the most rows. Index: notifications_alert */
const NOTIFIED = `
  SELECT n.id AS notification_id, CASE WHEN $3 THEN ${RECIPIENT_NAME} ELSE person.name END AS name,
         n.created_at AS notified_at,
         CASE WHEN $3 OR n.user_id IS NOT NULL THEN n.recipient END AS recipient,
         d.id, d.channel, d.status, d.state, d.due_at, d.defer_reason, d.reason, CASE WHEN $3 THEN d.error END AS error,
         d.sent_at, d.delivered_at
  FROM notifications n
  LEFT JOIN users person ON person.tenant_id = n.tenant_id AND person.id = n.user_id
  -- OFFSET 0: by the index for each, never by reading the table for all.
  LEFT JOIN LATERAL (
    SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.tenant_id = $1 AND d.notification_id = n.id OFFSET 0) d ON true
  WHERE n.tenant_id = $1 AND n.alert_id = $2
  ORDER BY n.created_at DESC, n.id DESC, d.due_at, d.id LIMIT $4`;
