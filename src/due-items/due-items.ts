import type { Clock } from '../platform/clock/clock.js';
import type { Database } from '../platform/database/database.js';
import { isForeignKeyViolation, isUniqueViolation } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { invalid, notFound, Problem } from '../platform/errors/problem.js';
import { type CountedPage, countedPage } from '../platform/lists/counted-page.js';
import { tenantToday } from '../tenants/tenant-today.js';
import type { Alerts } from '../notifications/alerts/alerts.service.js';
import type { DueItem } from './due-item.js';
import type { DueItemFilter, DueItemPageQuery, NewDueItem } from './due-item.dto.js';
import type { DueItemKind } from './due-item-kind.js';
import { DUE_ITEM_ORDERS, dueItemConditions, dueItemsSql } from './due-item-list.sql.js';

/** The lifecycle of one kind of due items, within a tenant. */
export class DueItems<Item extends DueItem, Filter extends DueItemFilter> {
  private readonly entity: new () => Item;

  constructor(
    private readonly kind: DueItemKind<Item, Filter>,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly alerts: Alerts,
  ) {
    this.entity = kind.entity;
  }

  /**
   * @throws Problem validation_failed when the responsible user is not in the tenant, conflict when the external id is
   * taken.
   */
  async create(tx: TenantTransaction, fields: NewDueItem): Promise<Item> {
    const item = new this.entity();
    Object.assign(item, fields, { tenant_id: tx.tenant_id, created_at: this.clock.now() });
    item.settle(null, await this.today(tx));
    return this.save(tx, item, item.created_at);
  }

  /** A page, soonest first unless sorted otherwise. */
  async list(tenantId: string, query: Filter & DueItemPageQuery): Promise<CountedPage<Item>> {
    const { table, endedAt } = this.kind.due;
    return this.database.tenant(tenantId, (tx) =>
      countedPage<Item>(
        tx,
        {
          columns: tx
            .repository(this.entity)
            .metadata.columns.map(({ databaseName }) => `item.${databaseName}`)
            .join(', '),
          from: dueItemsSql(table),
          conditions: dueItemConditions<Filter>(tenantId, query, { endedAt, own: this.kind.filters }),
          orders: DUE_ITEM_ORDERS,
        },
        query,
      ),
    );
  }

  /** @throws Problem not_found */
  async get(tenantId: string, id: string): Promise<Item> {
    return this.database.tenant(tenantId, async (tx) => {
      const item = await this.find(tx, id).getOne();
      if (item === null) throw notFound();
      return item;
    });
  }

  /**
   * Changes the fields in `patch`, and the status with the date. Moving the date ends alerts about the item.
   * @throws Problem not_found, and those of create.
   */
  async update(tenantId: string, id: string, patch: Partial<NewDueItem>): Promise<Item> {
    return this.change(tenantId, id, async (tx, item) => {
      if (Object.keys(patch).length === 0) return item;
      const moved = patch.due_on !== undefined && patch.due_on !== item.due_on;
      Object.assign(item, patch);
      if (moved) {
        item.settle(item.endedAt, await this.today(tx));
        await this.endAlerts(tx, id);
      }
      return this.save(tx, item);
    });
  }

  /**
   * Marks it done or received. Idempotent.
   * @throws Problem not_found
   */
  async end(tenantId: string, id: string): Promise<Item> {
    return this.change(tenantId, id, async (tx, item) => {
      if (item.endedAt !== null) return item;
      item.settle(this.clock.now(), await this.today(tx));
      const saved = await this.save(tx, item);
      await this.endAlerts(tx, id);
      return saved;
    });
  }

  /**
   * Undoes the end of an item: its facts apply again from the next check on.
   * @throws Problem not_found
   */
  async reopen(tenantId: string, id: string): Promise<Item> {
    return this.change(tenantId, id, async (tx, item) => {
      if (item.endedAt === null) return item;
      item.settle(null, await this.today(tx));
      return this.save(tx, item);
    });
  }

  /** @throws Problem not_found */
  async remove(tenantId: string, id: string): Promise<void> {
    await this.change(tenantId, id, async (tx, item) => {
      await tx.repository(this.entity).remove(item);
      await this.endAlerts(tx, id);
    });
  }

  private find(tx: TenantTransaction, id: string) {
    return tx
      .repository(this.entity)
      .createQueryBuilder('item')
      .where('item.tenant_id = :tenantId AND item.id = :id', { tenantId: tx.tenant_id, id });
  }

  /** Ends alerts about an item that was dealt with, moved or deleted. */
  private endAlerts(tx: TenantTransaction, id: string): Promise<void> {
    return this.alerts.sourcesChanged(tx, this.kind.source_type, [id]);
  }

  /** Reads and locks the item, and passes it to `work`. */
  private async change<Result>(
    tenantId: string,
    id: string,
    work: (tx: TenantTransaction, item: Item) => Promise<Result>,
  ): Promise<Result> {
    return this.database.tenant(tenantId, async (tx) => {
      const item = await this.find(tx, id).setLock('pessimistic_write').getOne();
      if (item === null) throw notFound();
      return work(tx, item);
    });
  }

  private async save(tx: TenantTransaction, item: Item, now = this.clock.now()): Promise<Item> {
    item.updated_at = now;
    try {
      return await tx.save(this.entity, item);
    } catch (error) {
      if (isForeignKeyViolation(error)) throw invalid('/responsible_id', 'is not a user of this tenant');
      if (isUniqueViolation(error))
        throw new Problem('conflict', 'this external_id already exists', { cause: error });
      throw error;
    }
  }

  private async today(tx: TenantTransaction): Promise<string> {
    return (await tenantToday(tx, this.clock.now())).today;
  }
}
