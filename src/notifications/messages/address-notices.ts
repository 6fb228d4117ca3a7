import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { StoppedAddressEvents } from '../../delivery/stopped-addresses/stopped-address-events.js';
import type {
  StoppableChannel,
  StoppedAddress,
  StopReason,
} from '../../delivery/stopped-addresses/stopped-address.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { UserEvents } from '../../users/user-events.js';
import { type NewNotification, Notifications } from '../notifications.service.js';

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    address_stopped: {
      stopped_address_id: string;
      channel: StoppableChannel;
      /** Missing once its user is erased. */
      address?: string;
      reason: StopReason;
      since: string;
      /** The user whose address it is; null for another person's. */
      user_id: string | null;
    };
  }
}

/** Most admins that are notified. */
const MAX_ADMINS = 100;
/** Notifications of one statement. */
const MAX_AT_ONCE = 1_000;

/**
 * Notifies a tenant's admins once of each stopped address. An admin whose own address is stopped gets the
 * notice in the feed and on other channels.
 */
@Injectable()
export class AddressNotices implements OnModuleInit {
  constructor(
    private readonly addresses: StoppedAddressEvents,
    private readonly users: UserEvents,
    private readonly notifications: Notifications,
    private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.addresses.onStopped((tx, stopped) => this.notify(tx, stopped));
    this.users.onErased((tx, userId) => this.forget(tx, userId));
  }

  private async notify(tx: TenantTransaction, stopped: readonly StoppedAddress[]): Promise<void> {
    const rows = await tx.query<{ admin_id: string; stopped_id: string; user_id: string | null }>(
      `SELECT a.id AS admin_id, s.id AS stopped_id, u.user_id
       FROM (SELECT id FROM users WHERE tenant_id = $1 AND role = 'admin' ORDER BY id LIMIT ${MAX_ADMINS}) a
       CROSS JOIN unnest($2::uuid[], $3::text[], $4::text[]) AS s (id, channel, address)
       LEFT JOIN LATERAL (
         SELECT u.id AS user_id FROM users u
         WHERE u.tenant_id = $1
           AND CASE s.channel WHEN 'email' THEN lower(u.email) = s.address ELSE u.phone = s.address END
         ORDER BY u.id LIMIT 1) u ON true
       ORDER BY a.id, s.id`,
      [
        tx.tenant_id,
        stopped.map(({ id }) => id),
        stopped.map(({ channel }) => channel),
        stopped.map(({ address }) => address),
      ],
    );
    const byId = new Map(stopped.map((address) => [address.id, address]));
    const notices = rows.flatMap(({ admin_id, stopped_id, user_id }) => {
      const address = byId.get(stopped_id);
      return address === undefined ? [] : [noticeOf(admin_id, address, user_id)];
    });
    for (let from = 0; from < notices.length; from += MAX_AT_ONCE)
      await this.notifications.createMany(tx, notices.slice(from, from + MAX_AT_ONCE));
  }

  /** Deletes the address of a user who is being erased from the notices that admins got about it. */
  private async forget(tx: TenantTransaction, userId: string): Promise<void> {
    const about = await tx.query<{ id: string }>(
      `UPDATE notifications SET data = data - 'address'
       WHERE tenant_id = $1 AND kind = 'address_stopped' AND data ->> 'user_id' = $2 RETURNING id`,
      [tx.tenant_id, userId],
    );
    if (about.length === 0) return;
    await this.outbox.forgetTexts(
      tx,
      about.map(({ id }) => id),
    );
  }
}

function noticeOf(
  adminId: string,
  { id, channel, address, reason, since }: StoppedAddress,
  user_id: string | null,
): NewNotification<'address_stopped'> {
  return {
    user_id: adminId,
    kind: 'address_stopped',
    severity: 'warning',
    audience: 'alert_recipient',
    dedupe_key: `address_stopped:${id}`,
    data: { stopped_address_id: id, channel, address, reason, since: since.toISOString(), user_id },
  };
}
