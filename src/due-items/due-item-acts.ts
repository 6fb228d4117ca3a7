import type { Alerts } from '../notifications/alerts/alerts.service.js';
import type { Clock } from '../platform/clock/clock.js';
import type { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { type BulkBody, type BulkResult, changeMany } from '../platform/lists/bulk-act.js';
import { tenantToday } from '../tenants/tenant-today.js';
import type { DueItem } from './due-item.js';
import type { DueDay, DueDays, DueItemFilter } from './due-item.dto.js';
import type { DueItemKind } from './due-item-kind.js';
import { dueItemConditions } from './due-item-list.sql.js';
import { openStatusSql } from './due-items.sql.js';

/** More than a year of days: a calendar shows a month. */
const MAX_DAYS = 400;

/** Bulk acts on the items of a kind, and their counts per day. */
export class DueItemActs<Item extends DueItem, Filter extends DueItemFilter> {
  constructor(
    private readonly kind: DueItemKind<Item, Filter>,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly alerts: Alerts,
  ) {}

  /**
   * Marks many items done or received, and ends their alerts.
   * @throws Problem validation_failed, count_changed
   */
  async end(tenantId: string, body: BulkBody<Filter>): Promise<BulkResult> {
    const { endedAt, ended } = this.kind.due;
    return this.database.tenant(tenantId, async (tx) => {
      const now = this.clock.now();
      const ids = await changeMany<Filter>(
        tx,
        {
          ...this.rows(tenantId),
          set: (take) => `status = '${ended}', ${endedAt} = ${take(now)}, updated_at = ${take(now)}`,
          unless: `item.${endedAt} IS NULL`,
        },
        body,
      );
      await this.alerts.sourcesChanged(tx, this.kind.source_type, ids);
      return { changed: ids.length };
    });
  }

  /**
   * Undoes the end of many items: their facts apply again from the next check on.
   * @throws Problem validation_failed, count_changed
   */
  async reopen(tenantId: string, body: BulkBody<Filter>): Promise<BulkResult> {
    const { due } = this.kind;
    return this.database.tenant(tenantId, async (tx) => {
      const today = await this.today(tx);
      const ids = await changeMany<Filter>(
        tx,
        {
          ...this.rows(tenantId),
          set: (take) =>
            `status = ${openStatusSql(due, 'item.due_on', take(today))}, ${due.endedAt} = NULL,
             updated_at = ${take(this.clock.now())}`,
          unless: `item.${due.endedAt} IS NOT NULL`,
        },
        body,
      );
      return { changed: ids.length };
    });
  }

  /** The number of items of each day, for a calendar. */
  async days(tenantId: string, filter: Partial<Filter>): Promise<DueDays> {
    const { table, endedAt } = this.kind.due;
    const conditions = this.rows(tenantId).conditions(filter);
    const data = await this.database.tenant(tenantId, (tx) =>
      tx.query<DueDay>(
        `SELECT item.due_on, count(*) FILTER (WHERE item.${endedAt} IS NULL) AS open, count(item.${endedAt}) AS ended
         FROM ${table} item WHERE ${conditions.sql}
         GROUP BY item.due_on ORDER BY item.due_on LIMIT ${MAX_DAYS}`,
        conditions.values,
      ),
    );
    return { data };
  }

  private rows(tenantId: string) {
    const { due, filters } = this.kind;
    return {
      table: `${due.table} item`,
      alias: 'item',
      conditions: (filter: Partial<Filter>) =>
        dueItemConditions<Filter>(tenantId, filter, { endedAt: due.endedAt, own: filters }),
    };
  }

  private async today(tx: TenantTransaction): Promise<string> {
    return (await tenantToday(tx, this.clock.now())).today;
  }
}
