import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../contracts/channels.js';
import type { QueueName } from '../contracts/jobs.js';
import { KIND_PEOPLE_CHANNELS, NOTIFICATION_KINDS, WEBHOOK_KINDS } from '../contracts/kind-lists.js';
import type { NotificationKind } from '../contracts/kinds.js';
import type { Severity } from '../contracts/severities.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { names } from './names.sql.js';
import { DEFERRAL_LOCK } from './dispatch/admission.js';
import { CHANNEL_TRAITS, configuredChannels, queueOf } from './channels/channels.js';
import {
  FORGET_RECIPIENT,
  FORGET_TEXTS,
  RECONSIDER,
  RESTORE_OF_ALERTS,
  SUPPRESS_OF_ALERTS,
  SUPPRESS_OF_LINKS,
  SUPPRESS_OF_PREFERENCES,
  SUPPRESS_OF_RECIPIENT,
  SUPPRESS_OF_TICKETS,
  supersededSql,
} from './transitions/acts.sql.js';
import {
  BUNDLE_KEY,
  decisionJoins,
  decisionsStatement,
  type DeliveryDecision,
  RECORDED,
  suitsSql,
} from './decisions.sql.js';

/** Parameters of a statement, as SQL expressions with their types. */
export type DeliveryParameters = Readonly<Record<'tenant_id' | 'now' | 'channels', string>>;

/** Why a notification is not sent to its recipient. */
export type SuppressReason =
  | 'preference'
  | 'tenant_preference'
  | 'no_address'
  | 'address_stopped'
  | 'channel_not_configured'
  | 'fact_gone'
  | 'superseded'
  | 'acknowledged'
  | 'snoozed'
  | 'user_erased'
  | 'link_ended'
  | 'endpoint_disabled'
  | 'endpoint_deleted';

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
   * The end of a statement that creates notifications: the CTEs `suits` and `delivered`, the latter with one delivery
   * for each row of the CTE `created (id, recipient, user_id, kind, severity, address, channel, due_at)` and each
   * channel that suits its kind, decided by `decisions.sql.ts`.
   * @param only the kinds that `created` can have: the fewer, the quicker the statement
   */
  static deliveriesSql(
    created: string,
    p: DeliveryParameters,
    only: readonly NotificationKind[] = NOTIFICATION_KINDS,
  ): string {
    return `
      ${suitsSql(p, only)},
      delivered AS (
        INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, bundle_key, state,
                                reason, due_at, due_since, defer_reason, created_at, ended_at)
        SELECT ${p.tenant_id}, c.id, c.recipient, c.severity = 'critical' OR suits.urgent,
               suits.channel, coalesce(reached.address, ''), CASE WHEN suits.bundles THEN ${BUNDLE_KEY} END,
               CASE WHEN s.reason IS NULL THEN 'pending' ELSE 'suppressed' END, s.reason, c.due_at, c.due_at,
               CASE WHEN s.reason IS NULL AND c.due_at > ${p.now} THEN 'send_at' END,
               ${p.now}, CASE WHEN s.reason IS NOT NULL THEN ${p.now} END
        FROM ${created} c ${decisionJoins(p)}
        WHERE ${RECORDED}
        ON CONFLICT (tenant_id, notification_id, channel, address) DO NOTHING
        RETURNING *
      )`;
  }

  /**
   * The CTEs `endpoints` and `subscribed`: a row for each webhook endpoint of the tenant and each fact of the
   * CTE `audience` that it subscribes to, however many people are notified of the fact. Disabled endpoints
   * get rows too. The join starts at `endpoints`, so that without one the audience is not read.
   */
  static subscribedSql(p: DeliveryParameters): string {
    return `
      endpoints AS MATERIALIZED (
        SELECT id, kinds FROM webhook_endpoints WHERE tenant_id = ${p.tenant_id}
      ),
      subscribed AS (
        SELECT NULL::uuid AS user_id, f.alert_id, f.dedupe_key, f.kind, f.severity, f.data,
               'webhook:' || e.id AS recipient, e.id::text AS address
        FROM endpoints e
        CROSS JOIN LATERAL (
          SELECT DISTINCT ON (a.dedupe_key) a.* FROM audience a
          WHERE a.kind IN (${names(WEBHOOK_KINDS)}) AND (e.kinds IS NULL OR a.kind = ANY (e.kinds))
          ORDER BY a.dedupe_key) f
      )`;
  }

  /** The address of an endpoint from its recipient, as SQL; null for people. */
  static endpointSql(recipient: string): string {
    return `CASE WHEN ${recipient} LIKE 'webhook:%' THEN substr(${recipient}, ${'webhook:'.length + 1}) END`;
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

  /** The queue that carries the messages of a channel. */
  static queue(channel: Channel): QueueName {
    return queueOf(channel);
  }

  /** The longest text of a message on this channel, in characters; null: no limit of its own. */
  static maxLength(channel: Channel): number | null {
    return CHANNEL_TRAITS[channel].maxLength ?? null;
  }

  /**
   * The decisions for a notification that would be created now, by the rule that creates deliveries.
   * @param to a user, or an address on a channel
   */
  async decisions(
    tx: TenantTransaction,
    { kind, severity }: { kind: NotificationKind; severity: Severity },
    to: { user_id: string } | { channel: Channel; address: string },
  ): Promise<DeliveryDecision[]> {
    const [user, address, channel] =
      'user_id' in to ? [to.user_id, null, null] : [null, to.address, to.channel];
    return tx.query(decisionsStatement(kind), [
      ...[tx.tenant_id, this.channels, user],
      ...[severity, address, channel],
    ]);
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

  /** Suppresses the reminders of tickets that are settled or deleted, unless they are being sent. */
  async ticketsGone(tx: TenantTransaction, ticketIds: readonly string[]): Promise<void> {
    await tx.execute(SUPPRESS_OF_TICKETS, [tx.tenant_id, ticketIds, this.clock.now()]);
  }

  /** Suppresses the deliveries of acknowledged or snoozed alerts, unless they are being sent. */
  async alertsSilenced(
    tx: TenantTransaction,
    alertIds: readonly string[],
    reason: 'acknowledged' | 'snoozed',
  ): Promise<void> {
    await this.suppress(tx, alertIds, reason);
  }

  /** Makes deliveries pending again that `alertsSilenced` has suppressed, so that undoing it loses no message. */
  async alertsUnsilenced(tx: TenantTransaction, alertIds: readonly string[]): Promise<void> {
    const outcome = await tx.one<{ restored: number }>(RESTORE_OF_ALERTS, [
      tx.tenant_id,
      alertIds,
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

  /** Deletes the contents of the messages that carried these notifications: they name somebody who is being erased. */
  async forgetTexts(tx: TenantTransaction, notificationIds: readonly string[]): Promise<void> {
    await tx.execute(FORGET_TEXTS, [tx.tenant_id, notificationIds]);
  }

  /** Suppresses mails whose one-time link no longer works: used, replaced or expired. */
  async linksEnded(tx: TenantTransaction, userId: string): Promise<void> {
    await tx.execute(SUPPRESS_OF_LINKS, [tx.tenant_id, `user:${userId}`, this.clock.now()]);
  }

  /** Suppresses waiting deliveries that a user has turned off, and lets the dispatcher decide again on the others. */
  async preferencesChanged(tx: TenantTransaction, userId: string): Promise<void> {
    await this.reconsider(tx, userId);
    const on = KIND_PEOPLE_CHANNELS.filter(({ default_on }) => default_on);
    await tx.execute(SUPPRESS_OF_PREFERENCES, [
      tx.tenant_id,
      userId,
      this.clock.now(),
      on.map(({ kind }) => kind),
      on.map(({ channel }) => channel),
    ]);
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
