import { Inject, Injectable } from '@nestjs/common';
import { type Channel, CHANNELS } from '../contracts/channels.js';
import { BUNDLED_KINDS, KIND_CHANNELS, OPTIONAL_KINDS, URGENT_KINDS } from '../contracts/kind-lists.js';
import type { NotificationKind } from '../contracts/kinds.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { DEFERRAL_LOCK } from './dispatch/admission.js';
import { CHANNEL_TRAITS, configuredChannels } from './channels/channels.js';
import {
  FORGET_RECIPIENT,
  RECONSIDER,
  RESTORE_OF_ALERT,
  SUPPRESS_OF_ALERTS,
  SUPPRESS_OF_LINKS,
  SUPPRESS_OF_RECIPIENT,
  supersededSql,
} from './transitions/acts.sql.js';

/** Parameters of a statement, as SQL expressions with their types. */
export type DeliveryParameters = Readonly<Record<'tenant_id' | 'now' | 'channels', string>>;

/** Why a notification is not sent to its recipient. */
export type SuppressReason =
  | 'preference'
  | 'no_address'
  | 'channel_not_configured'
  | 'fact_gone'
  | 'superseded'
  | 'acknowledged'
  | 'snoozed'
  | 'user_erased'
  | 'link_ended';

/**
 * Creates and suppresses deliveries, always in the transaction of the fact they are about, so that every announcement
 * is delivered and every delivery has a fact.
 */
@Injectable()
export class Outbox {
  /** Channels that this installation can send on; deliveries on other channels are recorded as suppressed. */
  readonly channels: readonly Channel[];

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly wakeUps: WakeUps,
  ) {
    this.channels = configuredChannels(config);
  }

  /**
   * The end of a statement that creates notifications: a CTE `delivered` with one delivery for each row of the CTE
   * `created (id, recipient, user_id, kind, severity, address, channel, due_at)` and each channel that suits its kind.
   * The address is the row's own, or else each of the user's; a null channel means all. A channel creates rows for
   * users who have chosen it, or who have an address on it if it is on by default for the kind.
   */
  static deliveriesSql(created: string, p: DeliveryParameters): string {
    return `
      delivered AS (
        INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, bundle_key, state,
                                reason, due_at, due_since, defer_reason, created_at, ended_at)
        SELECT ${p.tenant_id}, c.id, c.recipient, c.severity = 'critical' OR suits.urgent,
               suits.channel, coalesce(reached.address, ''), CASE WHEN suits.bundles THEN ${BUNDLE_KEY} END,
               CASE WHEN s.reason IS NULL THEN 'pending' ELSE 'suppressed' END, s.reason, c.due_at, c.due_at,
               CASE WHEN s.reason IS NULL AND c.due_at > ${p.now} THEN 'send_at' END,
               ${p.now}, CASE WHEN s.reason IS NOT NULL THEN ${p.now} END
        FROM ${created} c
        JOIN (VALUES ${KIND_CHANNEL_ROWS}) AS suits (kind, channel, default_on, optional, urgent, bundles)
          ON suits.kind = c.kind AND (c.channel IS NULL OR c.channel = suits.channel)
        LEFT JOIN users u ON u.tenant_id = ${p.tenant_id} AND u.id = c.user_id
        LEFT JOIN preferences p ON p.tenant_id = ${p.tenant_id} AND p.user_id = c.user_id AND p.kind = c.kind
                               AND p.channel = suits.channel AND suits.optional
        CROSS JOIN LATERAL unnest(CASE WHEN c.address IS NULL THEN ${USER_ADDRESSES} ELSE ARRAY[c.address] END)
          AS reached (address)
        CROSS JOIN LATERAL (SELECT CASE
          WHEN NOT p.enabled THEN 'preference'
          WHEN suits.channel <> ALL (${p.channels}) THEN 'channel_not_configured'
          WHEN reached.address IS NULL THEN 'no_address'
        END AS reason) s
        WHERE (suits.default_on AND reached.address IS NOT NULL) OR p.enabled OR c.channel IS NOT NULL
        ON CONFLICT (tenant_id, notification_id, channel, address) DO NOTHING
        RETURNING *
      )`;
  }

  /**
   * CTEs `superseded_…`: suppress earlier deliveries of these alerts that are not being sent, because the same
   * statement announces a later stage.
   * @param alerts a SELECT of alert ids
   */
  static supersededSql(alerts: string, p: DeliveryParameters): string {
    return supersededSql(alerts, p);
  }

  /**
   * A bare address as it is stored: the normalized address, and a recipient, so that limits do not depend on the
   * spelling. Null if this channel cannot send to it.
   */
  static address(channel: Channel, written: string): { address: string; recipient: string } | null {
    const traits = CHANNEL_TRAITS[channel];
    const address = traits.parseAddress(written);
    return address === null ? null : { address, recipient: `${traits.scheme}:${address.toLowerCase()}` };
  }

  /** How many text messages the operator charges for a written text; null on channels that charge nothing. */
  segments(channel: Channel, text: string): number | null {
    return CHANNEL_TRAITS[channel].segments?.(text, this.config) ?? null;
  }

  /** The longest text of a message on this channel, in characters; null: no limit of its own. */
  static maxLength(channel: Channel): number | null {
    return CHANNEL_TRAITS[channel].maxLength ?? null;
  }

  /** Wakes the dispatcher after this transaction commits. */
  kick(tx: TenantTransaction): void {
    tx.afterCommit(() => {
      for (const channel of this.channels) this.wakeUps.send('dispatch.kick', { channel });
    });
  }

  /** Suppresses the deliveries of these alerts, unless they are being sent. */
  async factsGone(tx: TenantTransaction, alertIds: readonly string[]): Promise<void> {
    await this.suppress(tx, alertIds, 'fact_gone');
  }

  /** Suppresses the deliveries of an alert that somebody takes care of, unless they are being sent. */
  async alertSilenced(
    tx: TenantTransaction,
    alertId: string,
    reason: 'acknowledged' | 'snoozed',
  ): Promise<void> {
    await this.suppress(tx, [alertId], reason);
  }

  /** Makes deliveries pending again that `alertSilenced` has suppressed, so that undoing it loses no message. */
  async alertUnsilenced(tx: TenantTransaction, alertId: string): Promise<void> {
    const outcome = await tx.one<{ restored: number }>(RESTORE_OF_ALERT, [
      tx.tenant_id,
      alertId,
      this.clock.now(),
    ]);
    if ((outcome?.restored ?? 0) > 0) this.kick(tx);
  }

  private async suppress(
    tx: TenantTransaction,
    alertIds: readonly string[],
    reason: SuppressReason,
  ): Promise<void> {
    await tx.execute(SUPPRESS_OF_ALERTS, [tx.tenant_id, alertIds, this.clock.now(), reason]);
  }

  /** Suppresses the deliveries of a user who is being erased, and deletes their addresses and message contents. */
  async userErased(tx: TenantTransaction, userId: string): Promise<void> {
    const recipient = `user:${userId}`;
    await tx.execute(SUPPRESS_OF_RECIPIENT, [tx.tenant_id, recipient, this.clock.now()]);
    await tx.execute(FORGET_RECIPIENT, [tx.tenant_id, recipient]);
  }

  /** Suppresses mails whose one-time link no longer works: used, replaced or expired. */
  async linksEnded(tx: TenantTransaction, userId: string): Promise<void> {
    await tx.execute(SUPPRESS_OF_LINKS, [tx.tenant_id, `user:${userId}`, this.clock.now()]);
  }

  /**
   * Makes deferred deliveries due, so that the dispatcher decides again: of the whole tenant, or of one user. Call it
   * after hours or limits change; waits for a round that has read the old ones.
   */
  async reconsider(tx: TenantTransaction, userId: string | null): Promise<void> {
    await tx.lock(DEFERRAL_LOCK);
    const recipient = userId === null ? null : `user:${userId}`;
    await tx.execute(RECONSIDER, [tx.tenant_id, recipient, this.clock.now()]);
    this.kick(tx);
  }
}

/**
 * Deliveries with the same key leave together: all bundled kinds that are not critical, and critical ones of one kind.
 */
const BUNDLE_KEY = `CASE WHEN c.kind IN (${BUNDLED_KINDS.map((kind) => `'${kind}'`).join(', ')})
  THEN CASE WHEN c.severity = 'critical' THEN c.kind ELSE 'together' END END`;

/** The addresses of the user `u` on a channel; a null one without any. */
const USER_ADDRESSES = `coalesce(nullif(CASE suits.channel ${CHANNELS.map(
  (channel) => `WHEN '${channel}' THEN ${CHANNEL_TRAITS[channel].userAddresses}`,
).join(' ')} END, '{}'), ARRAY[NULL])`;

const OPTIONAL: readonly NotificationKind[] = OPTIONAL_KINDS;

/**
 * The declarations of `kinds.ts` as rows: kind, channel, whether it is on by default, may be turned off, is urgent, and
 * may share a message on this channel.
 */
const KIND_CHANNEL_ROWS = KIND_CHANNELS.map(
  ({ kind, channel, default_on }) =>
    `('${kind}', '${channel}', ${default_on}, ${OPTIONAL.includes(kind)}, ${URGENT_KINDS.includes(kind)}, ${CHANNEL_TRAITS[channel].bundles})`,
).join(', ');
