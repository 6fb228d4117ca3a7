import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { ChannelFallbacks } from '../notifications/channel-fallbacks.js';
import { Notifications } from '../notifications/notifications.service.js';
import { instantAt } from '../platform/clock/civil-time.js';
import { Clock } from '../platform/clock/clock.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { TenantEvents } from '../tenants/tenant-events.js';
import { UserEvents } from '../users/user-events.js';
import { nextOccasion, type Rhythm } from './calendar.js';
import { TICKET } from './tickets/tickets.kind.js';

const BATCH_SIZE = 1_000;

/** Updates reminders when tickets, zones or users change, in the transaction of the change. */
@Injectable()
export class ReminderEvents implements OnModuleInit {
  constructor(
    private readonly alerts: Alerts,
    private readonly fallbacks: ChannelFallbacks,
    private readonly notifications: Notifications,
    private readonly tenants: TenantEvents,
    private readonly users: UserEvents,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    // Before the listeners of other rooms, which register later: an erasure locks reminders, then inboxes, as a round
    // of reminders does.
    users.onErased(async (tx, userId) => {
      await tx.execute(`DELETE FROM reminders WHERE tenant_id = $1 AND user_id = $2`, [tx.tenant_id, userId]);
    });
  }

  onModuleInit(): void {
    this.alerts.onSourcesChanged(TICKET, (tx, ids) => this.ticketsChanged(tx, ids));
    this.tenants.onSettingsChanged((tx) => this.zoneChanged(tx, null));
    this.users.onPreferencesChanged((tx, userId) => this.zoneChanged(tx, userId));
  }

  /** Ends the reminders of settled tickets, and suppresses what was not sent yet about settled and deleted ones. */
  private async ticketsChanged(tx: TenantTransaction, ids: readonly string[]): Promise<void> {
    const changed = await tx.one<{ gone: string[] }>(END_OF_TICKETS, [tx.tenant_id, ids, this.clock.now()]);
    const gone = changed?.gone ?? [];
    if (gone.length === 0) return;
    // In this order: the first call waits for a running `advance`, whose messages the second one suppresses.
    await this.fallbacks.ticketsGone(tx, gone);
    await this.notifications.ticketsGone(tx, gone);
  }

  /** Keeps the next dates, at the same local time in the new zone. */
  private async zoneChanged(tx: TenantTransaction, userId: string | null): Promise<void> {
    const now = this.clock.now();
    for (;;) {
      const moved = await tx.query<Moved>(MOVED, [tx.tenant_id, userId, BATCH_SIZE]);
      if (moved.length === 0) return;
      const rows = moved.map((reminder) => {
        const at = instantAt(reminder.next_on, reminder.local_time, reminder.zone);
        const next = at === null ? nextOccasion(reminder, reminder.zone, now) : { on: reminder.next_on, at };
        return { id: reminder.id, next_on: next.on, next_at: next.at, time_zone: reminder.zone };
      });
      await tx.execute(RESCHEDULE, [tx.tenant_id, JSON.stringify(rows)]);
    }
  }
}

type Moved = Rhythm & { id: string; next_on: string; zone: string };

/** $1 tenant id, $2 ticket ids, $3 now */
const END_OF_TICKETS = `
  WITH settled AS (
    SELECT id FROM tickets WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) AND settled_at IS NOT NULL
  ),
  locked AS MATERIALIZED (
    SELECT r.id FROM reminders r WHERE r.tenant_id = $1 AND r.ticket_id IN (SELECT id FROM settled) AND r.ended_at IS NULL
    ORDER BY r.id FOR NO KEY UPDATE
  ),
  ended AS (
    UPDATE reminders r
    SET active = false, next_on = NULL, next_at = NULL, time_zone = NULL, ended_at = $3,
        end_reason = 'ticket_settled', updated_at = $3
    FROM locked WHERE r.tenant_id = $1 AND r.id = locked.id
  )
  SELECT coalesce(array_agg(asked.id), '{}') AS gone FROM unnest($2::uuid[]) AS asked (id)
  WHERE NOT EXISTS (SELECT FROM tickets t WHERE t.tenant_id = $1 AND t.id = asked.id AND t.settled_at IS NULL)`;

/** Active reminders whose next instant was computed in another zone. $1 tenant id, $2 user id or null, $3 the most */
const MOVED = `
  SELECT r.id, r.starts_on, r.frequency_days, r.local_time, r.next_on, coalesce(u.time_zone, t.time_zone) AS zone
  FROM reminders r
  JOIN tenants t ON t.id = r.tenant_id
  JOIN users u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
  WHERE r.tenant_id = $1 AND ($2::uuid IS NULL OR r.user_id = $2)
    AND r.next_at IS NOT NULL AND r.time_zone <> coalesce(u.time_zone, t.time_zone)
  ORDER BY r.id LIMIT $3 FOR NO KEY UPDATE OF r`;

/** $1 tenant id, $2 `[{id, next_on, next_at, time_zone}]` */
const RESCHEDULE = `
  UPDATE reminders r SET next_on = m.next_on, next_at = m.next_at, time_zone = m.time_zone
  FROM jsonb_to_recordset($2::jsonb) AS m (id uuid, next_on date, next_at timestamptz, time_zone text)
  WHERE r.tenant_id = $1 AND r.id = m.id`;
