import { Inject, Injectable } from '@nestjs/common';
import { type AlertLink, AlertLinks } from '../../auth/alert-links.js';
import type { Locale } from '../../contracts/locales.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { NotificationViews } from '../views/notification-views.js';
import { readerOf, type ReaderRow, readerSql } from '../views/reader.js';
import { alertColumns, type AlertRow } from './alert-row.js';
import { AlertSilence, type Marker } from './silence.js';

const DAY_MS = 24 * 3_600_000;

/** What the page of a link offers; names are the values of its buttons. */
const ACTIONS = ['acknowledge', 'snooze_day', 'snooze_week', 'undo'] as const;
export type AlertAction = (typeof ACTIONS)[number];

/** An alert as the page of its link shows it, to the person who got the mail. */
export interface LinkedAlert {
  locale: Locale;
  tenant: { name: string; time_zone: string };
  alert_title: string;
  state: 'open' | 'acknowledged' | 'snoozed' | 'over';
  acknowledged_by: string | null;
  /** ISO instants, or null. */
  acknowledged_at: string | null;
  snoozed_until: string | null;
}

type LinkedRow = AlertRow & ReaderRow & { user_id: string | null };

/** Shows and acknowledges alerts by the links in mails: the link is the credential. */
@Injectable()
export class AlertLinkService {
  constructor(
    private readonly links: AlertLinks,
    private readonly database: Database,
    private readonly silence: AlertSilence,
    private readonly views: NotificationViews,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @returns null where the link does not work (any more): changed, expired, its person erased, its tenant suspended. */
  async show(token: string): Promise<LinkedAlert | null> {
    return this.within(token, (tx, row) => this.shown(tx, row));
  }

  /** Does what a button of the page says. @returns whether the link works */
  async act(token: string, action: AlertAction): Promise<boolean> {
    const done = await this.within(token, async (tx, { id, user_id }) => {
      // A bare address was notified, too, but is no user.
      await this.apply(tx, id, { user_id, only_notified: user_id !== null }, action);
      return true;
    });
    return done ?? false;
  }

  private async apply(tx: TenantTransaction, id: string, marker: Marker, action: AlertAction): Promise<void> {
    const inDays = (days: number) => new Date(this.clock.now().getTime() + days * DAY_MS);
    switch (action) {
      case 'acknowledge':
        return this.silence.acknowledge(tx, id, marker);
      case 'snooze_day':
        return this.silence.snooze(tx, id, marker, inDays(1));
      case 'snooze_week':
        return this.silence.snooze(tx, id, marker, inDays(7));
      case 'undo':
        await this.silence.unacknowledge(tx, id, marker);
        return this.silence.snooze(tx, id, marker, null);
    }
  }

  private async within<Result>(
    token: string,
    work: (tx: TenantTransaction, row: LinkedRow) => Promise<Result>,
  ): Promise<Result | null> {
    const link: AlertLink | null = this.links.read(token);
    if (link === null) return null;
    return this.database.tenant(link.tenant_id, async (tx) => {
      const row = await tx.one<LinkedRow>(LINKED, [tx.tenant_id, link.notification_id]);
      return row === null ? null : work(tx, row);
    });
  }

  private async shown(tx: TenantTransaction, row: LinkedRow): Promise<LinkedAlert> {
    const own = await this.views.ownWords(tx, [row]);
    const alert = this.views.ofAlert(row, own);
    const { locale, tenant } = readerOf(row, this.clock.now(), own);
    const { acknowledged_by, acknowledged_at, snoozed_until, gone_at } = alert;
    return {
      locale,
      tenant,
      alert_title: alert.title,
      state:
        gone_at !== null
          ? 'over'
          : acknowledged_at !== null
            ? 'acknowledged'
            : snoozed_until !== null
              ? 'snoozed'
              : 'open',
      acknowledged_by,
      acknowledged_at: acknowledged_at?.toISOString() ?? null,
      snoozed_until: snoozed_until?.toISOString() ?? null,
    };
  }
}

/** Whether this is the value of a button. */
export function isAlertAction(value: unknown): value is AlertAction {
  return (ACTIONS as readonly unknown[]).includes(value);
}

/** $1 tenant id, $2 notification id. A user who was erased is none, and their links end with them. */
const LINKED = `
  SELECT ${alertColumns('a')}, reader.*, n.user_id
  FROM notifications n
  JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
  JOIN tenants t ON t.id = n.tenant_id AND t.suspended_at IS NULL
  CROSS JOIN LATERAL (${readerSql('$1', 'n.user_id')}) reader
  WHERE n.tenant_id = $1 AND n.id = $2 AND (n.user_id IS NOT NULL OR n.recipient NOT LIKE 'user:%')`;
