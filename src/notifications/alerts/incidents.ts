import { Inject, Injectable, Logger } from '@nestjs/common';
import type { NotificationData, NotificationKind } from '../../contracts/kinds.js';
import type { Severity } from '../../contracts/severities.js';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { Announcement } from '../announcement.js';
import { ANNOUNCE, END, type IncidentParameters, RAISE, REMIND } from './incidents.sql.js';
import { Notifications } from '../notifications.service.js';

/**
 * A daily job may run some minutes earlier than yesterday. Without a tolerance it would only announce every second day.
 */
const TOLERANCE_MS = 10 * 60_000;

/** A message to a tenant's incident recipients. */
export interface IncidentMessage<Kind extends NotificationKind = NotificationKind> {
  kind: Kind;
  /** The same key never reaches the same recipient twice. */
  dedupe_key: string;
  severity: Severity;
  data: NotificationData[Kind];
}

/** A fault that stays open until `end`. Its key is the alert's. */
export interface Incident<Kind extends NotificationKind = NotificationKind> extends IncidentMessage<Kind> {
  source_type: string;
  source_id: string;
  /** An open incident is announced again after this time; null: never. */
  repeat_after_ms: number | null;
}

export interface Raised {
  /** The incident's. */
  dedupe_key: string;
  alert_id: string;
  /** Whether it is new. */
  opened: boolean;
  /** How many people were notified. */
  notified: number;
}

export interface EndedIncident {
  source_id: string;
  dedupe_key: string;
  kind: NotificationKind;
  /** From the last announcement or count. */
  data: Record<string, unknown>;
  first_seen_at: Date;
}

interface Outcome {
  incidents: {
    dedupe_key: string;
    alert_id: string | null;
    opened: boolean;
    notifies: boolean;
    notified: number;
  }[];
  recipients: number;
  deliveries: number;
  user_ids: string[];
}

/** Incidents per statement: it returns one row for each. */
const MAX_AT_ONCE = 1_000;

/**
 * Incidents: alerts that their module opens and ends, and that are repeated while they are open. Notifies the tenant's
 * alert recipients, else its admins, else ADMIN_EMAIL_RECIPIENT.
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
   * Opens and announces each incident's alert, all together. An open one is counted, and announced again only if nobody
   * has resolved it and people were last notified `repeat_after_ms` ago.
   * @param incidents at most 1,000, each with its own key
   */
  async raise<Kind extends NotificationKind>(
    tx: TenantTransaction,
    incidents: readonly Incident<Kind>[],
  ): Promise<Raised[]> {
    const outcome = await this.run(tx, RAISE, this.withRepeats(incidents));
    return outcome.map(({ alert_id, dedupe_key, opened, notified }) => {
      if (alert_id === null) throw new Error('the incident was not recorded');
      return { dedupe_key, alert_id, opened, notified };
    });
  }

  /**
   * Announces open incidents again, by the rule of `raise`, without counting an occurrence.
   * @param incidents at most 1,000
   * @returns how many of them reached somebody.
   */
  async remind<Kind extends NotificationKind>(
    tx: TenantTransaction,
    incidents: readonly Incident<Kind>[],
  ): Promise<number> {
    return reached(await this.run(tx, REMIND, this.withRepeats(incidents)));
  }

  /**
   * Announces something once to the same people: that the source has recovered.
   * @param messages at most 1,000
   * @returns how many of them reached somebody.
   */
  async announce<Kind extends NotificationKind>(
    tx: TenantTransaction,
    messages: readonly IncidentMessage<Kind>[],
  ): Promise<number> {
    return reached(await this.run(tx, ANNOUNCE, messages));
  }

  /**
   * Ends the incidents of recovered sources, including resolved ones, and suppresses their unsent deliveries.
   * @returns those that were open, the oldest first.
   */
  async end(
    tx: TenantTransaction,
    sourceType: string,
    sourceIds: readonly string[],
  ): Promise<EndedIncident[]> {
    if (sourceIds.length === 0) return [];
    const ended = await tx.query<EndedIncident & { id: string }>(END, [
      tx.tenant_id,
      sourceType,
      sourceIds,
      this.clock.now(),
    ]);
    if (ended.length === 0) return [];
    await this.outbox.factsGone(
      tx,
      ended.map(({ id }) => id),
    );
    return ended
      .map(({ id: _id, ...incident }) => incident)
      .sort((one, other) => one.first_seen_at.getTime() - other.first_seen_at.getTime());
  }

  private withRepeats(incidents: readonly Incident[]): (Incident & { repeat_before: Date | null })[] {
    return incidents.map((incident) => ({ ...incident, repeat_before: this.repeatBefore(incident) }));
  }

  /** An alert whose people were last notified at or before this instant may be announced again. */
  private repeatBefore({ repeat_after_ms }: Incident): Date | null {
    if (repeat_after_ms === null) return null;
    return new Date(this.clock.now().getTime() - Math.max(0, repeat_after_ms - TOLERANCE_MS));
  }

  /** The incidents with a due alert. */
  private async run(
    tx: TenantTransaction,
    statement: Announcement<IncidentParameters>,
    messages: readonly IncidentMessage[],
  ): Promise<Outcome['incidents']> {
    if (messages.length === 0) return [];
    if (messages.length > MAX_AT_ONCE) throw new Error(`at most ${MAX_AT_ONCE} incidents at once`);
    const [outcome] = await this.notifications.announce<Outcome, IncidentParameters>(tx, statement, {
      incidents: JSON.stringify(messages),
      fallback: this.fallback,
    });
    if (outcome === undefined) throw new Error('the announcement returned nothing');
    const { incidents, recipients, deliveries, user_ids } = outcome;
    this.notifications.announced(tx, user_ids, deliveries);
    if (recipients === 0 && incidents.some(({ notifies }) => notifies)) this.warnOnce(tx.tenant_id);
    return incidents;
  }

  private warnOnce(tenant_id: string): void {
    if (this.warned) return;
    this.warned = true;
    this.logger.warn({
      event: 'incident_without_recipient',
      tenant_id,
      hint: 'set alert_recipients in the tenant’s settings, or ADMIN_EMAIL_RECIPIENT',
    });
  }
}

function reached(incidents: Outcome['incidents']): number {
  return incidents.filter(({ notified }) => notified > 0).length;
}
