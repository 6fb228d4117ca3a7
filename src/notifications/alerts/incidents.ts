import { Inject, Injectable, Logger } from '@nestjs/common';
import type { NotificationData, NotificationKind } from '../../contracts/kinds.js';
import type { Locale } from '../../contracts/locales.js';
import type { Severity } from '../../contracts/severities.js';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { PreparedStatement, TenantTransaction } from '../../platform/database/transaction.js';
import { ANNOUNCE, RAISE, REMIND } from './incidents.sql.js';
import { Notifications } from '../notifications.service.js';

/**
 * A daily job that comes some minutes earlier than yesterday must not find it too early to speak: it would speak
 * every second day.
 */
const TOLERANCE_MS = 10 * 60_000;

/** Something to tell whoever a tenant wants to be told of incidents, in each language. */
export interface IncidentMessage<Kind extends NotificationKind = NotificationKind> {
  kind: Kind;
  /** The same key never reaches the same recipient twice. */
  dedupe_key: string;
  severity: Severity;
  title: Record<Locale, string>;
  body: Record<Locale, string>;
  data: NotificationData[Kind];
}

/** Something that is wrong until `end` says otherwise. Its key is the alert's. */
export interface Incident<Kind extends NotificationKind = NotificationKind> extends IncidentMessage<Kind> {
  source_type: string;
  source_id: string;
  /** An incident that goes on is told again after this; null: never. */
  repeat_after_ms: number | null;
}

export interface Raised {
  alert_id: string;
  /** It is new. */
  opened: boolean;
  /** How many people were told. */
  told: number;
}

export interface EndedIncident {
  dedupe_key: string;
  kind: NotificationKind;
  first_seen_at: Date;
}

interface Spoken {
  alert_id: string | null;
  opened: boolean;
  speaks: boolean;
  recipients: number;
  told: number;
  deliveries: number;
  user_ids: string[];
}

/**
 * Incidents: alerts that their room opens and ends itself, and that speak again while they go on. Told are the
 * tenant's alert recipients, without any its admins, without any ADMIN_EMAIL_RECIPIENT; each in their own language.
 */
@Injectable()
export class Incidents {
  private readonly logger = new Logger('Incidents');
  private readonly fallback: string | null;
  private warned = false;

  constructor(
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) { adminEmailRecipient }: Config,
  ) {
    this.fallback =
      adminEmailRecipient === null ? null : (Outbox.address('email', adminEmailRecipient)?.address ?? null);
  }

  /**
   * Opens the incident's alert and tells of it. One that stands is counted once more, and told again only if
   * nobody has resolved it by hand and people last heard of it `repeat_after_ms` ago.
   */
  async raise<Kind extends NotificationKind>(
    tx: TenantTransaction,
    incident: Incident<Kind>,
  ): Promise<Raised> {
    const spoken = await this.speak(tx, RAISE, incident, this.toldBefore(incident));
    if (spoken === null || spoken.alert_id === null) throw new Error('the incident was not recorded');
    const { alert_id, opened, told } = spoken;
    return { alert_id, opened, told };
  }

  /**
   * Tells again of an incident that goes on, by the rule of `raise`, without counting an occurrence.
   * @returns how many people were told.
   */
  async remind<Kind extends NotificationKind>(
    tx: TenantTransaction,
    incident: Incident<Kind>,
  ): Promise<number> {
    return (await this.speak(tx, REMIND, incident, this.toldBefore(incident)))?.told ?? 0;
  }

  /**
   * Tells the same people something once: that it is well again.
   * @returns how many people were told.
   */
  async announce<Kind extends NotificationKind>(
    tx: TenantTransaction,
    message: IncidentMessage<Kind>,
  ): Promise<number> {
    return (await this.speak(tx, ANNOUNCE, message, null))?.told ?? 0;
  }

  /**
   * The source is well: its incidents are over, those that were resolved by hand too, and what was not sent of
   * them is called off.
   * @returns those that stood, the oldest first.
   */
  async end(tx: TenantTransaction, sourceType: string, sourceId: string): Promise<EndedIncident[]> {
    const ended = await tx.query<EndedIncident & { id: string }>(
      `UPDATE alerts SET gone_at = $4, state = 'resolved', resolved_at = coalesce(resolved_at, $4)
       WHERE tenant_id = $1 AND source_type = $2 AND source_id = $3 AND gone_at IS NULL
       RETURNING id, dedupe_key, kind, first_seen_at`,
      [tx.tenant_id, sourceType, sourceId, this.clock.now()],
    );
    if (ended.length === 0) return [];
    await this.outbox.factsGone(
      tx,
      ended.map(({ id }) => id),
    );
    return ended
      .map(({ dedupe_key, kind, first_seen_at }) => ({ dedupe_key, kind, first_seen_at }))
      .sort((one, other) => one.first_seen_at.getTime() - other.first_seen_at.getTime());
  }

  /** An alert that was told then, or earlier, may be told again. */
  private toldBefore({ repeat_after_ms }: Incident): Date | null {
    if (repeat_after_ms === null) return null;
    return new Date(this.clock.now().getTime() - Math.max(0, repeat_after_ms - TOLERANCE_MS));
  }

  /** Null where there was nothing to speak of. */
  private async speak(
    tx: TenantTransaction,
    statement: PreparedStatement,
    message: IncidentMessage,
    told_before: Date | null,
  ): Promise<Spoken | null> {
    const spoken = await tx.one<Spoken>(statement, [
      tx.tenant_id,
      JSON.stringify({ ...message, told_before }),
      this.fallback,
      this.clock.now(),
      this.outbox.channels,
    ]);
    if (spoken === null) return null;
    this.notifications.announced(tx, spoken.user_ids, spoken.deliveries);
    if (spoken.speaks && spoken.recipients === 0) this.warnOnce(tx.tenant_id);
    return spoken;
  }

  private warnOnce(tenant_id: string): void {
    if (this.warned) return;
    this.warned = true;
    this.logger.warn({
      event: 'incident_without_recipient',
      tenant_id,
      hint: 'name alert_recipients in the tenant’s settings, or set ADMIN_EMAIL_RECIPIENT',
    });
  }
}
