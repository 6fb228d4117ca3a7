import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../../platform/http/cursor.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { hasAddressSql } from '../forgotten-address.sql.js';
import { SUPPRESS_OF_ADDRESSES } from '../transitions/addresses.sql.js';
import type { ClaimedMessage } from '../channels/sender.js';
import { isStoppable, type NewStop, type StoppedAddress } from './stopped-address.js';
import { StoppedAddressEvents } from './stopped-address-events.js';
import type { StoppedAddressesQuery, StoppedAddressView } from './stopped-addresses.dto.js';

/**
 * Addresses that get nothing more on their channel: it bounced, its owner complained or answered STOP. Other channels
 * of the same person go on.
 */
@Injectable()
export class StoppedAddresses {
  private readonly logger = new Logger('StoppedAddresses');

  constructor(
    private readonly database: Database,
    private readonly events: StoppedAddressEvents,
    private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Stops addresses, suppresses what waits for them, and announces those that were not stopped before. Locks inboxes
   * before deliveries, as announcements do.
   */
  async stop(tx: TenantTransaction, stops: readonly NewStop[]): Promise<void> {
    if (stops.length === 0) return;
    const now = this.clock.now();
    const stopped = await tx.query<StoppedAddress>(
      `INSERT INTO stopped_addresses (tenant_id, channel, address, reason, provider, delivery_id, since)
       SELECT DISTINCT ON (s.channel, s.address) $1::uuid, s.channel, s.address, s.reason, s.provider, s.delivery_id,
              $2::timestamptz
       FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[])
         AS s (channel, address, reason, provider, delivery_id)
       -- Not if the recipient was erased while the message was being sent.
       JOIN deliveries d ON d.tenant_id = $1 AND d.id = s.delivery_id AND ${hasAddressSql('d')}
       ORDER BY s.channel, s.address
       ON CONFLICT (tenant_id, channel, address) DO NOTHING
       RETURNING id, channel, address, reason, since`,
      [
        tx.tenant_id,
        now,
        stops.map(({ channel }) => channel),
        stops.map(({ address }) => address.toLowerCase()),
        stops.map(({ reason }) => reason),
        stops.map(({ provider }) => provider),
        stops.map(({ delivery_id }) => delivery_id),
      ],
    );
    if (stopped.length === 0) return;
    await this.events.stopped(tx, stopped);
    await tx.execute(SUPPRESS_OF_ADDRESSES, [
      tx.tenant_id,
      stopped.map(({ channel }) => channel),
      now,
      stopped.map(({ address }) => address),
    ]);
    tx.afterCommit(() => {
      for (const { channel, reason } of stopped) {
        this.metrics.count('vigie_addresses_stopped_total', { channel, reason });
        this.logger.warn({ event: 'address_stopped', tenant_id: tx.tenant_id, channel, reason });
      }
    });
  }

  /**
   * Stops the address of a message that its provider refused for good. A failure is only logged: the next message to
   * it is refused again.
   */
  async refused({ tenant_id, channel, address, items }: ClaimedMessage): Promise<void> {
    const [item] = items;
    if (!isStoppable(channel) || item === undefined) return;
    const { delivery_id } = item;
    const reason = channel === 'sms' ? 'stop' : 'hard_bounce';
    try {
      await this.database.tenant(tenant_id, (tx) =>
        this.stop(tx, [{ channel, address, reason, provider: null, delivery_id }]),
      );
    } catch (error) {
      this.logger.error({ event: 'address_not_stopped', tenant_id, channel, err: error });
    }
  }

  /** The owners of these addresses have subscribed again: frees those that they had stopped themselves. */
  async restart(
    tx: TenantTransaction,
    restarts: readonly Pick<NewStop, 'channel' | 'address'>[],
  ): Promise<void> {
    if (restarts.length === 0) return;
    const freed = await tx.query<Pick<StoppedAddress, 'channel'>>(
      `DELETE FROM stopped_addresses s USING unnest($2::text[], $3::text[]) AS r (channel, address)
       WHERE s.tenant_id = $1 AND s.channel = r.channel AND s.address = r.address AND s.reason = 'stop'
       RETURNING s.channel`,
      [
        tx.tenant_id,
        restarts.map(({ channel }) => channel),
        restarts.map(({ address }) => address.toLowerCase()),
      ],
    );
    for (const { channel } of freed) this.logFreed(tx, channel, 'owner');
  }

  /** A page, newest first. */
  async list(
    tenantId: string,
    { limit, cursor, channel }: StoppedAddressesQuery,
  ): Promise<Page<StoppedAddressView>> {
    const [after] = cursor === undefined ? [null] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.database.single(tenantId).query<StoppedAddressView>(
      `SELECT id, channel, address, reason, provider, delivery_id, since FROM stopped_addresses
       WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR channel = $3)
       ORDER BY id DESC LIMIT $4`,
      [tenantId, after ?? null, channel ?? null, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      ({ id }) => [id],
      (row) => row,
    );
  }

  /**
   * Frees an address: later messages are sent to it again. What was suppressed stays so.
   * @throws Problem not_found
   */
  async free(tenantId: string, id: string): Promise<void> {
    await this.database.tenant(tenantId, async (tx) => {
      const freed = await tx.one<Pick<StoppedAddress, 'channel'>>(
        `DELETE FROM stopped_addresses WHERE tenant_id = $1 AND id = $2 RETURNING channel`,
        [tenantId, id],
      );
      if (freed === null) throw notFound();
      this.logFreed(tx, freed.channel, 'admin');
    });
  }

  /** Forgets the addresses of a user who is being erased. Call it while their deliveries still have them. */
  async userErased(tx: TenantTransaction, userId: string): Promise<void> {
    await tx.execute(
      `DELETE FROM stopped_addresses s
       WHERE s.tenant_id = $1 AND (s.channel, s.address) IN (
         SELECT channel, lower(address) FROM deliveries WHERE tenant_id = $1 AND recipient = 'user:' || $2::uuid
         UNION SELECT 'email', lower(email) FROM users WHERE tenant_id = $1 AND id = $2
         UNION SELECT 'sms', phone FROM users WHERE tenant_id = $1 AND id = $2)
       AND NOT EXISTS (
         SELECT FROM users o WHERE o.tenant_id = $1 AND o.id <> $2 AND s.address IN (lower(o.email), o.phone))`,
      [tx.tenant_id, userId],
    );
  }

  /** Deletes stopped addresses that are being erased. @param addresses in lower case */
  async erase(tx: TenantTransaction, addresses: readonly string[]): Promise<number> {
    return tx.execute(`DELETE FROM stopped_addresses WHERE tenant_id = $1 AND address = ANY ($2::text[])`, [
      tx.tenant_id,
      addresses,
    ]);
  }

  private logFreed(tx: TenantTransaction, channel: string, by: 'owner' | 'admin'): void {
    tx.afterCommit(() => this.logger.log({ event: 'address_freed', tenant_id: tx.tenant_id, channel, by }));
  }
}
