import { Inject, Injectable } from '@nestjs/common';
import type { NotificationData, NotificationKind } from '../contracts/kinds.js';
import type { Severity } from '../contracts/severities.js';
import { Outbox } from '../delivery/outbox.js';
import { Clock } from '../platform/clock/clock.js';
import { prepared, type TenantTransaction } from '../platform/database/transaction.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { announceSql } from './announcement.js';

/** Something to tell one user of the tenant. */
export interface NewNotification<Kind extends NotificationKind = NotificationKind> {
  user_id: string;
  kind: Kind;
  severity: Severity;
  title: string;
  body: string;
  data: NotificationData[Kind];
  /** The same key never reaches the same user twice. */
  dedupe_key: string;
}

export interface Created {
  created: number;
  deliveries: number;
  notification_ids: string[];
}

const MOST_AT_ONCE = 1_000;
/** Users named in one wake-up. */
const WAKE_UP_USERS = 1_000;

/** Tells people something: the one way into their feeds, and from there to the channels. */
@Injectable()
export class Notifications {
  constructor(
    private readonly outbox: Outbox,
    private readonly wakeUps: WakeUps,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Creates those that are new, with their deliveries. At most 1,000 a call.
   * @param origin who created them, as `user:<id>` or `key:<id>`; nobody for what Vigie says itself.
   */
  async createMany<Kind extends NotificationKind>(
    tx: TenantTransaction,
    rows: readonly NewNotification<Kind>[],
    origin: { created_by?: string } = {},
  ): Promise<Created> {
    if (rows.length > MOST_AT_ONCE) throw new Error(`createMany takes at most ${MOST_AT_ONCE} notifications`);
    const created = await tx.one<{ ids: string[]; user_ids: string[]; deliveries: number }>(
      prepared(`WITH told AS (
         SELECT r.*, NULL::uuid AS alert_id, $3::text AS created_by
         FROM jsonb_to_recordset($2::jsonb) AS r (user_id uuid, dedupe_key text, kind text, severity text,
                                                  title text, body text, data jsonb)
       ),
       ${announceSql('told')}
       SELECT coalesce((SELECT array_agg(id) FROM created), '{}') AS ids,
              coalesce((SELECT array_agg(DISTINCT user_id) FROM created), '{}') AS user_ids,
              (SELECT count(*) FROM delivered) AS deliveries`),
      [tx.tenant_id, JSON.stringify(rows), origin.created_by ?? null, this.clock.now(), this.outbox.channels],
    );
    const { ids = [], user_ids = [], deliveries = 0 } = created ?? {};
    this.announced(tx, user_ids, deliveries);
    return { created: ids.length, deliveries, notification_ids: ids };
  }

  /** Once committed: connected clients and the dispatcher hear of it. */
  announced(tx: TenantTransaction, userIds: readonly string[], deliveries: number): void {
    if (deliveries > 0) this.outbox.kick(tx);
    this.feedsChanged(tx, userIds);
  }

  /** Once committed: the connected clients of these users are brought up to date. */
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
