import { isUUID } from 'class-validator';
import { isCivilDate } from '../clock/civil-time.js';
import { decodeCursor, encodeCursor, isInstantKey, isTextKey } from '../http/cursor.js';
import type { ListConditions } from './list-conditions.js';

/** How a key is written in a cursor, and read from it. */
const TYPES = {
  date: { written: (sql: string) => `to_char(${sql}, 'YYYY-MM-DD')`, check: isCivilDate },
  timestamptz: {
    written: (sql: string) => `to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
    check: isInstantKey,
  },
  uuid: { written: (sql: string) => `(${sql})::text`, check: (key: string) => isUUID(key) },
  integer: { written: (sql: string) => `(${sql})::text`, check: (key: string) => /^\d{1,9}$/.test(key) },
  text: { written: (sql: string) => sql, check: isTextKey },
} as const;

/** A key to sort by: an SQL expression that is never null. */
export interface SortKey {
  sql: string;
  type: keyof typeof TYPES;
}

/**
 * The orders of a list by name, each a list of keys of which the last one is unique. The first order is the default.
 * `-name` is the same order backwards.
 */
export type SortOrders = Readonly<Record<string, readonly SortKey[]>>;

/** An order of a list, in SQL, and where a page begins. */
export interface ListOrder {
  /** For `ORDER BY`. */
  sql: string;
  /** The keys of a row, as an SQL array of texts. */
  keysSql: string;
  /** @throws Problem invalid_cursor, also for the cursor of another order. */
  continueAfter(cursor: string, conditions: ListConditions): void;
  cursorOf(keys: readonly string[]): string;
}

/** @param sort the name of one of `orders`, perhaps with a leading minus; undefined: the default */
export function listOrder(orders: SortOrders, sort: string | undefined): ListOrder {
  const name = sort?.replace(/^-/, '') ?? Object.keys(orders)[0] ?? '';
  const keys = orders[name] ?? [];
  const backwards = sort?.startsWith('-') === true;
  const written = `${backwards ? '-' : ''}${name}`;
  return {
    sql: keys.map(({ sql }) => `${sql}${backwards ? ' DESC' : ''}`).join(', '),
    keysSql: `ARRAY[${keys.map(({ sql, type }) => TYPES[type].written(sql)).join(', ')}]::text[]`,
    continueAfter: (cursor, conditions) => {
      const checks = keys.map(({ type }) => TYPES[type].check);
      const [, ...values] = decodeCursor(cursor, [(key) => key === written, ...checks]);
      const places = keys.map(({ type }, at) => `${conditions.take(values[at])}::${type}`);
      const row = keys.map(({ sql }) => sql).join(', ');
      conditions.add(`(${row}) ${backwards ? '<' : '>'} (${places.join(', ')})`);
    },
    cursorOf: (rowKeys) => encodeCursor([written, ...rowKeys]),
  };
}

/** The values of the parameter `sort`. */
export function sortNames(orders: SortOrders): string[] {
  return Object.keys(orders).flatMap((name) => [name, `-${name}`]);
}
