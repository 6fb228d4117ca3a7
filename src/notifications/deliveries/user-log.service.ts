import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import type { TenantTemplates } from '../../wording/tenant-templates/tenant-templates.js';
import { notFound } from '../../platform/errors/problem.js';
import type { TenantCaller } from '../../platform/http/caller.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import type { PageQuery } from '../../platform/http/page.dto.js';
import {
  NOTIFICATION_COLUMNS,
  type NotificationRow,
  NotificationViews,
} from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';
import { sentColumns, STATUS } from './deliveries.sql.js';
import type { LoggedSend } from './user-log.dto.js';

type Outcome = Pick<LoggedSend, 'channel' | 'status' | 'state' | 'reason' | 'error' | 'sent_at'>;
type LogRow = NotificationRow &
  ReaderRow &
  Outcome & { delivery_id: string; sent_subject: string | null; sent_text: string | null };

/** Lists every send to a user. */
@Injectable()
export class UserLog {
  constructor(private readonly views: NotificationViews) {}

  /**
   * One page, newest first. Only for the user, and for admins of the tenant.
   * @throws Problem not_found for an unknown user, and for other callers.
   */
  async list(
    tx: TenantTransaction,
    { role, user_id }: TenantCaller,
    userId: string,
    { limit, cursor }: PageQuery,
  ): Promise<Page<LoggedSend>> {
    if (role !== 'admin' && user_id !== userId) throw notFound();
    const values: SqlValue[] = [tx.tenant_id, userId, limit + 1];
    let from = 'true';
    let after = 'true';
    if (cursor !== undefined) {
      const uuid = (key: string) => isUUID(key);
      values.push(...decodeCursor(cursor, [isInstantKey, uuid, uuid]));
      from = '(n.created_at, n.id) <= ($4::timestamptz, $5::uuid)';
      after = '(n.created_at, n.id, d.id) < ($4::timestamptz, $5::uuid, $6::uuid)';
    }
    const rows = await tx.query<LogRow>(logSql(from, after), values);
    if (rows.length === 0) await this.requireUser(tx, userId);
    const own = await this.views.ownWords(tx, rows);
    return pageOf(
      rows,
      limit,
      ({ created_at, id, delivery_id }) => [created_at.toISOString(), id, delivery_id],
      (row) => this.view(row, userId, own),
    );
  }

  private view(row: LogRow, user_id: string, own: TenantTemplates | null): LoggedSend {
    const { title, body } = this.views.of(row, own);
    return {
      id: row.delivery_id,
      notification_id: row.id,
      user_id,
      kind: row.kind,
      ticket_id: idIn(row.data, 'ticket_id'),
      reminder_id: idIn(row.data, 'reminder_id'),
      channel: row.channel,
      subject: row.sent_subject ?? title,
      message: row.sent_text ?? body,
      status: row.status,
      status_label: this.views.statusLabel(row.status, row),
      state: row.state,
      reason: row.reason,
      error: row.error,
      sent_at: row.sent_at,
      created_at: row.created_at,
    };
  }

  private async requireUser(tx: TenantTransaction, userId: string): Promise<void> {
    const user = await tx.one(`SELECT FROM users WHERE tenant_id = $1 AND id = $2`, [tx.tenant_id, userId]);
    if (user === null) throw notFound();
  }
}

function idIn(data: Record<string, unknown>, field: string): string | null {
  const id = data[field];
  return typeof id === 'string' ? id : null;
}

/** $1 tenant id, $2 user id, $3 the most rows, and the keys of the last row. Index: notifications_feed */
function logSql(from: string, after: string): string {
  return `
    SELECT ${NOTIFICATION_COLUMNS}, d.id AS delivery_id, d.channel, ${STATUS} AS status, d.state, d.reason, d.error,
           d.sent_at, ${sentColumns('true')}, reader.*
    FROM notifications n
    -- OFFSET 0: by the index for each, never by reading the table for all.
    CROSS JOIN LATERAL (
      SELECT * FROM deliveries d WHERE d.tenant_id = $1 AND d.notification_id = n.id OFFSET 0) d
    CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader
    WHERE n.tenant_id = $1 AND n.user_id = $2::uuid AND ${from} AND ${after}
    ORDER BY n.created_at DESC, n.id DESC, d.id DESC LIMIT $3`;
}
