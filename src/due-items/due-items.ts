import { isUUID } from 'class-validator';
import type { Clock } from '../platform/clock/clock.js';
import { isCivilDate } from '../platform/clock/civil-time.js';
import type { Database } from '../platform/database/database.js';
import { isForeignKeyViolation, isUniqueViolation } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { invalid, notFound, Problem } from '../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../platform/http/cursor.js';
import { tenantToday } from '../tenants/tenant-today.js';
import type { Alerts } from '../notifications/alerts/alerts.service.js';
import type { DueItem } from './due-item.js';
import type { DueItemQuery, NewDueItem } from './due-item.dto.js';
import type { DueItemKind } from './due-item-kind.js';

/** The lifecycle of one kind of due items, within a tenant. */
export class DueItems<Item extends DueItem, Query extends DueItemQuery> {
  private readonly entity: new () => Item;

  constructor(
    private readonly kind: DueItemKind<Item, Query>,
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

  /** A page, by due date, then id. */
  async list(tenantId: string, query: Query): Promise<Page<Item>> {
    const { limit, cursor, due_before, due_after, q } = query;
    const filters = ['responsible_id', 'external_id', ...this.kind.filters] as const;
    const rows = await this.database.tenant(tenantId, (tx) => {
      const items = tx
        .repository(this.entity)
        .createQueryBuilder('item')
        .where('item.tenant_id = :tenantId', { tenantId })
        .orderBy('item.due_on')
        .addOrderBy('item.id')
        .limit(limit + 1);
      for (const column of filters) {
        const value = query[column];
        if (value !== undefined) items.andWhere(`item.${column} = :${column}`, { [column]: value });
      }
      if (due_before !== undefined) items.andWhere('item.due_on < :due_before', { due_before });
      if (due_after !== undefined) items.andWhere('item.due_on > :due_after', { due_after });
      if (q !== undefined) {
        items.andWhere(`strpos(lower(concat_ws(chr(10), item.title, item.client_name)), lower(:q)) > 0`, {
          q,
        });
      }
      if (cursor !== undefined) {
        const [due_on, id] = decodeCursor(cursor, [isCivilDate, (key) => isUUID(key)]);
        items.andWhere('(item.due_on, item.id) > (:due_on, :id)', { due_on, id });
      }
      return items.getMany();
    });
    return pageOf(
      rows,
      limit,
      (item) => [item.due_on, item.id],
      (item) => item,
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
      await this.endAlerts(tx, id);
      return this.save(tx, item);
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
      await this.endAlerts(tx, id);
      await tx.repository(this.entity).remove(item);
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
