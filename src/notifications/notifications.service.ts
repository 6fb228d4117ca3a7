import { Inject, Injectable } from '@nestjs/common';
import type { Audience } from '../contracts/audiences.js';
import type { Channel } from '../contracts/channels.js';
import type { NotificationData, NotificationKind } from '../contracts/kinds.js';
import type { Severity } from '../contracts/severities.js';
import { Outbox } from '../delivery/outbox.js';
import { Clock } from '../platform/clock/clock.js';
import type { SqlValue, TenantTransaction } from '../platform/database/transaction.js';
import { Tracing } from '../platform/tracing/tracing.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { type Announcement, announcement, announceSql } from './announcement.js';

/** A notification for one user of the tenant. */
export interface NewNotification<Kind extends NotificationKind = NotificationKind> {
  user_id: string;
  kind: Kind;
  severity: Severity;
  data: NotificationData[Kind];
  /** The reason for notifying them. */
  audience: Audience;
  /** The same key never reaches the same user twice. */
  dedupe_key: string;
  /** Sent only here; otherwise on every channel of the kind, to the user's own addresses. */
  sent_to?: { channel: Channel; address: string };
}

export interface Created {
  created: number;
  deliveries: number;
  notification_ids: string[];
}

const MAX_AT_ONCE = 1_000;
/** Most users in one wake-up. */
const WAKE_UP_USERS = 1_000;

interface CreatedRow {
  ids: string[];
  user_ids: string[];
  deliveries: number;
}

const CREATE_MANY = announcement(
  { rows: 'jsonb', created_by: 'text' },
  (p) => `
    WITH audience AS (
      SELECT r.user_id, r.dedupe_key, r.kind, r.severity, r.data, r.audience, NULL::uuid AS alert_id,
             ${p.created_by} AS created_by, 'user:' || r.user_id AS recipient, r.sent_to ->> 'address' AS address,
             r.sent_to ->> 'channel' AS channel, ${p.now} AS due_at
      FROM jsonb_to_recordset(${p.rows}) AS r (user_id uuid, dedupe_key text, kind text, severity text, data jsonb,
                                               audience text, sent_to jsonb)
    ),
    ${announceSql(p, { addressed: true })}
    SELECT coalesce((SELECT array_agg(id) FROM created), '{}') AS ids,
           coalesce((SELECT array_agg(DISTINCT user_id) FROM created), '{}') AS user_ids,
           (SELECT count(*) FROM delivered) AS deliveries`,
);

/** Notifies people: the only way into their feeds, and from there to the channels. */
@Injectable()
export class Notifications {
  constructor(
    private readonly outbox: Outbox,
    private readonly wakeUps: WakeUps,
    private readonly tracing: Tracing,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Creates the new ones, with their deliveries. At most 1,000 per call.
   * @param origin who created them, as `user:<id>` or `key:<id>`; null for Vigie's own.
   */
  async createMany<Kind extends NotificationKind>(
    tx: TenantTransaction,
    rows: readonly NewNotification<Kind>[],
    origin: { created_by?: string } = {},
  ): Promise<Created> {
    if (rows.length > MAX_AT_ONCE) throw new Error(`createMany takes at most ${MAX_AT_ONCE} notifications`);
    const [created] = await this.announce<CreatedRow, 'rows' | 'created_by'>(tx, CREATE_MANY, {
      rows: JSON.stringify(rows),
      created_by: origin.created_by ?? null,
    });
    const { ids = [], user_ids = [], deliveries = 0 } = created ?? {};
    this.announced(tx, user_ids, deliveries);
    return { created: ids.length, deliveries, notification_ids: ids };
  }

  /** Runs a statement that notifies people; the caller must then call `announced`. */
  async announce<Row, Own extends string>(
    tx: TenantTransaction,
    statement: Announcement<Own>,
    values: Readonly<Record<Own, SqlValue>>,
  ): Promise<Row[]> {
    const own = statement.own.map((name) => values[name]);
    return this.tracing.span('announcement', { 'vigie.tenant_id': tx.tenant_id }, () =>
      tx.query<Row>(statement, [tx.tenant_id, this.clock.now(), this.outbox.channels, ...own]),
    );
  }

  /**
   * Forgets the previous addresses of a user who is being erased. Locks their inbox, as announcements do first: the
   * erasure then waits for one that refers to the user, before it locks what that one needs.
   */
  async userErased(tx: TenantTransaction, userId: string): Promise<void> {
    await tx.query(`SELECT 1 FROM inboxes WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE`, [
      tx.tenant_id,
      userId,
    ]);
    await tx.execute(
      `UPDATE notifications SET data = data - 'previous_email'
       WHERE tenant_id = $1 AND recipient = $2 AND kind = 'email_changed'`,
      [tx.tenant_id, `user:${userId}`],
    );
  }

  /** Suppresses the reminders of tickets that are settled or deleted, unless they are being sent. */
  async ticketsGone(tx: TenantTransaction, ticketIds: readonly string[]): Promise<void> {
    await this.outbox.ticketsGone(tx, ticketIds);
  }

  /** Once committed: wakes the dispatcher, and brings connected clients up to date. */
  announced(tx: TenantTransaction, userIds: readonly string[], deliveries: number): void {
    if (deliveries > 0) this.outbox.kick(tx);
    this.feedsChanged(tx, userIds);
  }

  /** After the commit: updates the connected clients of these users. */
  feedsChanged(tx: TenantTransaction, userIds: readonly string[]): void {
    if (userIds.length === 0) return;
    tx.afterCommit(() => {
      for (let from = 0; from < userIds.length; from += WAKE_UP_USERS) {
        const user_ids = userIds.slice(from, from + WAKE_UP_USERS);
        this.wakeUps.send('feed.changed', { tenant_id: tx.tenant_id, user_ids });
      }
    });
  }
}
