import { Inject, Injectable, Logger } from '@nestjs/common';
import type { NotificationData, NotificationKind } from '../../contracts/kinds.js';
import type { Severity } from '../../contracts/severities.js';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { Announcement } from '../announcement.js';
import { ANNOUNCE, type IncidentParameters, RAISE, REMIND } from './incidents.sql.js';
import { Notifications } from '../notifications.service.js';

/** A daily job may run some minutes earlier than yesterday. Without a tolerance it would announce every second day only. */
const TOLERANCE_MS = 10 * 60_000;

/** A message to a tenant's recipients of incidents. */
export interface IncidentMessage<Kind extends NotificationKind = NotificationKind> {
  kind: Kind;
  /** The same key never reaches the same recipient twice. */
  dedupe_key: string;
  severity: Severity;
  data: NotificationData[Kind];
}

/** A fault that lasts until `end`. Its key is the alert's. */
export interface Incident<Kind extends NotificationKind = NotificationKind> extends IncidentMessage<Kind> {
  source_type: string;
  source_id: string;
  /** An incident that goes on is announced again after this time; null: never. */
  repeat_after_ms: number | null;
}

export interface Raised {
  alert_id: string;
  /** It is new. */
  opened: boolean;
  /** How many people were notified. */
  notified: number;
}

export interface EndedIncident {
  dedupe_key: string;
  kind: NotificationKind;
  /** As it was last announced or counted. */
  data: Record<string, unknown>;
  first_seen_at: Date;
}

interface Outcome {
  alert_id: string | null;
  opened: boolean;
  notifies: boolean;
  recipients: number;
  notified: number;
  deliveries: number;
  user_ids: string[];
}

/**
 * Incidents: alerts that their room opens and ends itself, and that are announced again while they go on. Notified
 * are the tenant's alert recipients, without any its admins, without any ADMIN_EMAIL_RECIPIENT.
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
   * Opens the incident's alert and announces it. One that stands is counted once more, and announced again only if
   * nobody has resolved it and people were last notified `repeat_after_ms` ago.
   */
  async raise<Kind extends NotificationKind>(
    tx: TenantTransaction,
    incident: Incident<Kind>,
  ): Promise<Raised> {
    const outcome = await this.run(tx, RAISE, incident, this.repeatBefore(incident));
    if (outcome === null || outcome.alert_id === null) throw new Error('the incident was not recorded');
    const { alert_id, opened, notified } = outcome;
    return { alert_id, opened, notified };
  }

  /**
   * Announces again an incident that goes on, by the rule of `raise`, without counting an occurrence.
   * @returns how many people were notified.
   */
  async remind<Kind extends NotificationKind>(
    tx: TenantTransaction,
    incident: Incident<Kind>,
  ): Promise<number> {
    return (await this.run(tx, REMIND, incident, this.repeatBefore(incident)))?.notified ?? 0;
  }

  /**
   * Announces something to the same people once: that the source has recovered.
   * @returns how many people were notified.
   */
  async announce<Kind extends NotificationKind>(
    tx: TenantTransaction,
    message: IncidentMessage<Kind>,
  ): Promise<number> {
    return (await this.run(tx, ANNOUNCE, message, null))?.notified ?? 0;
  }

  /**
   * The source has recovered: its incidents end, also those that somebody resolved, and what was not sent of them is
   * suppressed.
   * @returns those that stood, the oldest first.
   */
  async end(tx: TenantTransaction, sourceType: string, sourceId: string): Promise<EndedIncident[]> {
    const ended = await tx.query<EndedIncident & { id: string }>(
      `UPDATE alerts SET gone_at = $4, state = 'resolved', resolved_at = coalesce(resolved_at, $4)
       WHERE tenant_id = $1 AND source_type = $2 AND source_id = $3 AND gone_at IS NULL
       RETURNING id, dedupe_key, kind, data, first_seen_at`,
      [tx.tenant_id, sourceType, sourceId, this.clock.now()],
    );
    if (ended.length === 0) return [];
    await this.outbox.factsGone(
      tx,
      ended.map(({ id }) => id),
    );
    return ended
      .map(({ id: _id, ...incident }) => incident)
      .sort((one, other) => one.first_seen_at.getTime() - other.first_seen_at.getTime());
  }

  /** An alert whose people were last notified then, or earlier, may be announced again. */
  private repeatBefore({ repeat_after_ms }: Incident): Date | null {
    if (repeat_after_ms === null) return null;
    return new Date(this.clock.now().getTime() - Math.max(0, repeat_after_ms - TOLERANCE_MS));
  }

  /** Null where no alert is due. */
  private async run(
    tx: TenantTransaction,
    statement: Announcement<IncidentParameters>,
    message: IncidentMessage,
    repeat_before: Date | null,
  ): Promise<Outcome | null> {
    const [outcome] = await this.notifications.announce<Outcome, IncidentParameters>(tx, statement, {
      incident: JSON.stringify({ ...message, repeat_before }),
      fallback: this.fallback,
    });
    if (outcome === undefined) return null;
    this.notifications.announced(tx, outcome.user_ids, outcome.deliveries);
    if (outcome.notifies && outcome.recipients === 0) this.warnOnce(tx.tenant_id);
    return outcome;
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
