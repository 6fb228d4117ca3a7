import type { TenantTransaction } from '../database/transaction.js';
import type { Page } from '../http/cursor.js';
import type { ListConditions } from './list-conditions.js';
import { listOrder, type SortOrders } from './sort-orders.js';

/** A page of a list; with `count=true` also the number of all its rows. */
export interface CountedPage<Item> extends Page<Item> {
  count?: number;
}

/** A list in SQL. */
export interface List {
  /** The columns of an item: `item.id, item.title`. */
  columns: string;
  /** What follows FROM. */
  from: string;
  conditions: ListConditions;
  orders: SortOrders;
  /** Where counting stops; default: never. */
  maxCount?: number;
}

/**
 * Reads a page, and its count in the same statement: both are of the same moment.
 * @throws Problem invalid_cursor
 */
export async function countedPage<Item extends object>(
  tx: Pick<TenantTransaction, 'query'>,
  { columns, from, conditions, orders, maxCount }: List,
  { limit, cursor, sort, count }: { limit: number; cursor?: string; sort?: string; count?: boolean },
): Promise<CountedPage<Item>> {
  const order = listOrder(orders, sort);
  const page = conditions.copy();
  if (cursor !== undefined) order.continueAfter(cursor, page);
  const rowsSql = `
    SELECT ${columns}, ${order.keysSql} AS list_keys FROM ${from} WHERE ${page.sql}
    ORDER BY ${order.sql} LIMIT ${page.take(limit + 1)}`;
  type Row = Item & { list_keys: string[] | null; list_count: number };
  const counted = `SELECT FROM ${from} WHERE ${conditions.sql} ${maxCount === undefined ? '' : `LIMIT ${maxCount}`}`;
  const found = await tx.query<Row>(
    count === true
      ? `SELECT page.*, (SELECT count(*) FROM (${counted}) counted) AS list_count
         FROM (VALUES (1)) AS one LEFT JOIN LATERAL (${rowsSql}) page ON true`
      : rowsSql,
    page.values,
  );
  const rows = found.flatMap((row) => (row.list_keys === null ? [] : [{ row, keys: row.list_keys }]));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(({ row }) => itemOf<Item>(row)),
    next_cursor: rows.length > limit && last !== undefined ? order.cursorOf(last.keys) : null,
    ...(count === true ? { count: found[0]?.list_count ?? 0 } : {}),
  };
}

function itemOf<Item extends object>(row: Item & { list_keys: unknown; list_count: unknown }): Item {
  const item: Partial<typeof row> = { ...row };
  delete item.list_keys;
  delete item.list_count;
  return item as Item;
}
