import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { announcement, announceSql } from '../../notifications/announcement.js';
import { responsibleOrAdminsSql } from '../../notifications/audience.js';
import type { MessageState } from '../../notifications/messages/messages.dto.js';
import { Messages } from '../../notifications/messages/messages.service.js';
import { Notifications } from '../../notifications/notifications.service.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { notFound, Problem } from '../../platform/errors/problem.js';
import { reminderDataSql } from '../reminder-data.js';

interface Notified {
  ids: string[];
  user_ids: string[];
  deliveries: number;
}

/** Notifies the owners of tickets on request. */
@Injectable()
export class TicketNotices {
  constructor(
    private readonly notifications: Notifications,
    private readonly messages: Messages,
  ) {}

  /**
   * Notifies the owner now, on the channels that they have chosen for reminders; the tenant's admins if there is none.
   * @param createdBy who asks, as `user:<id>` or `key:<id>`
   * @returns the state of each notification
   * @throws Problem not_found; conflict once the ticket is settled.
   */
  async notify(tx: TenantTransaction, id: string, createdBy: string): Promise<MessageState[]> {
    // Settling the ticket waits for this lock, and then suppresses these deliveries.
    const ticket = await tx.one<{ settled_at: Date | null }>(
      `SELECT settled_at FROM tickets WHERE tenant_id = $1 AND id = $2 FOR SHARE`,
      [tx.tenant_id, id],
    );
    if (ticket === null) throw notFound();
    if (ticket.settled_at !== null) throw new Problem('conflict', 'the ticket is settled');
    const [notified] = await this.notifications.announce<Notified, 'ticket_id' | 'key' | 'created_by'>(
      tx,
      NOTIFY,
      { ticket_id: id, key: randomUUID(), created_by: createdBy },
    );
    const { ids = [], user_ids = [], deliveries = 0 } = notified ?? {};
    this.notifications.announced(tx, user_ids, deliveries);
    return this.messages.states(
      tx,
      ids.map((notification) => ({ id: notification, created: true })),
    );
  }
}

const NOTIFY = announcement(
  { ticket_id: 'uuid', key: 'text', created_by: 'text' },
  (p) => `
  WITH ticket AS (SELECT * FROM tickets WHERE tenant_id = ${p.tenant_id} AND id = ${p.ticket_id}),
  audience AS (
    SELECT t.user_id, NULL::uuid AS alert_id, ${p.created_by} AS created_by,
           'ticket:' || t.id || ':' || ${p.key} AS dedupe_key, 'reminder' AS kind, 'warning' AS severity,
           ${reminderDataSql({ id: 'NULL::uuid', message: 'NULL::text' }, 't')} AS data, t.audience
    FROM (${responsibleOrAdminsSql('ticket', p.tenant_id)}) t
  ),
  ${announceSql(p)}
  SELECT coalesce((SELECT array_agg(id ORDER BY id) FROM created), '{}') AS ids,
         coalesce((SELECT array_agg(user_id) FROM created), '{}') AS user_ids,
         (SELECT count(*) FROM delivered) AS deliveries`,
);
