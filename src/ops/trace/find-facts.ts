import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { AlertSteps, type TracedAlert } from '../../notifications/trace/alert-steps.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { likePattern } from '../../platform/lists/list-conditions.js';
import { TICKET } from '../../reminders/tickets/tickets.kind.js';
import {
  ALERT_OF_SOURCE,
  ALERTS_BY_KEY,
  ALERTS_BY_TEXT,
  type Item,
  ITEM_BY_ID,
  ITEMS_BY_TEXT,
  MAX_FACTS,
  NOTIFICATION_BY_ID,
  NOTIFICATION_BY_KEY,
  NOTIFICATION_OF_TICKET,
  NOTIFICATIONS_BY_TEXT,
} from './find-facts.sql.js';

/** The fact of a request, as far as it exists. */
export interface FoundFact {
  item: Item | null;
  alert: TracedAlert | null;
  /** A notification that was named, or found without an alert. */
  notification_id: string | null;
}

interface NotificationRef {
  id: string;
  alert_id: string | null;
}

/** The id of an item in the dedupe key of a watched fact: `deadline:<id>:<date>`. */
const ITEM_KEY = /^[a-z_]+:([0-9a-f-]{36})(:|$)/i;

/** Finds facts by an id, a key, or a part of a title. */
@Injectable()
export class FindFacts {
  constructor(private readonly alerts: AlertSteps) {}

  /**
   * @param fact null: what the recipients were notified of last
   * @returns the closest first, one more than are explained if there are more
   */
  async find(
    tx: TenantTransaction,
    fact: string | null,
    recipients: readonly string[],
  ): Promise<FoundFact[]> {
    if (fact === null) return this.ofNotifications(tx, await this.byText(tx, recipients, null));
    const byId = isUUID(fact) ? await this.byId(tx, fact, recipients) : [];
    if (byId.length > 0) return byId;
    // A program's own key may be a UUID, too.
    const byKey = await this.byKey(tx, fact, recipients);
    if (byKey.length > 0 || isUUID(fact)) return byKey;
    const pattern = likePattern(fact);
    const items = await tx.query<Item>(ITEMS_BY_TEXT, [tx.tenant_id, pattern]);
    const alerts = await tx.query<{ id: string }>(ALERTS_BY_TEXT, [tx.tenant_id, pattern]);
    const found: FoundFact[] = [];
    for (const item of items) found.push(await this.ofItem(tx, item, recipients));
    for (const { id } of alerts) found.push(await this.ofAlert(tx, id));
    found.push(...(await this.ofNotifications(tx, await this.byText(tx, recipients, pattern))));
    return found.slice(0, MAX_FACTS + 1);
  }

  private async byId(tx: TenantTransaction, id: string, recipients: readonly string[]): Promise<FoundFact[]> {
    const notification = await tx.one<NotificationRef>(NOTIFICATION_BY_ID, [tx.tenant_id, id]);
    if (notification !== null) return this.ofNotifications(tx, [notification]);
    const alert = await this.alerts.read(tx, id);
    if (alert !== null) return [{ item: await this.itemOf(tx, alert), alert, notification_id: null }];
    const item = await tx.one<Item>(ITEM_BY_ID, [tx.tenant_id, id]);
    return item === null ? [] : [await this.ofItem(tx, item, recipients)];
  }

  private async byKey(
    tx: TenantTransaction,
    key: string,
    recipients: readonly string[],
  ): Promise<FoundFact[]> {
    const alert = await tx.one<{ id: string }>(ALERTS_BY_KEY, [tx.tenant_id, key]);
    if (alert !== null) return [await this.ofAlert(tx, alert.id)];
    const known = await tx.one<NotificationRef>(NOTIFICATION_BY_KEY, [tx.tenant_id, recipients, key]);
    if (known !== null) return this.ofNotifications(tx, [known]);
    const id = ITEM_KEY.exec(key)?.[1];
    return id !== undefined && isUUID(id) ? this.byId(tx, id, recipients) : [];
  }

  private async byText(
    tx: TenantTransaction,
    recipients: readonly string[],
    pattern: string | null,
  ): Promise<NotificationRef[]> {
    return tx.query<NotificationRef>(NOTIFICATIONS_BY_TEXT, [tx.tenant_id, recipients, pattern]);
  }

  private async ofNotifications(
    tx: TenantTransaction,
    refs: readonly NotificationRef[],
  ): Promise<FoundFact[]> {
    const found: FoundFact[] = [];
    for (const { id, alert_id } of refs) {
      const alert = alert_id === null ? null : await this.alerts.read(tx, alert_id);
      found.push({ item: alert === null ? null : await this.itemOf(tx, alert), alert, notification_id: id });
    }
    return found;
  }

  private async ofAlert(tx: TenantTransaction, id: string): Promise<FoundFact> {
    const alert = await this.alerts.read(tx, id);
    return { item: alert === null ? null : await this.itemOf(tx, alert), alert, notification_id: null };
  }

  private async ofItem(tx: TenantTransaction, item: Item, recipients: readonly string[]): Promise<FoundFact> {
    if (item.source_type === TICKET) {
      const sent = await tx.one<{ id: string }>(NOTIFICATION_OF_TICKET, [tx.tenant_id, recipients, item.id]);
      return { item, alert: null, notification_id: sent?.id ?? null };
    }
    const ref = await tx.one<{ id: string }>(ALERT_OF_SOURCE, [tx.tenant_id, item.source_type, item.id]);
    return {
      item,
      alert: ref === null ? null : await this.alerts.read(tx, ref.id),
      notification_id: null,
    };
  }

  private async itemOf(tx: TenantTransaction, { source_id }: TracedAlert): Promise<Item | null> {
    return source_id === null ? null : tx.one<Item>(ITEM_BY_ID, [tx.tenant_id, source_id]);
  }
}
