import { Problem } from '../errors/problem.js';

/** One page of a list, newest or soonest first. */
export interface Page<Item> {
  data: Item[];
  /** Send it as `?cursor=` for the next page; null at the end. */
  next_cursor: string | null;
}

/** The keys of the last row of a page, as opaque text. */
export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/**
 * Decodes the keys and checks each.
 * @throws Problem invalid_cursor when the cursor is not one of ours.
 */
export function decodeCursor(cursor: string, checks: readonly ((key: string) => boolean)[]): string[] {
  let keys: unknown;
  try {
    keys = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new Problem('invalid_cursor');
  }
  if (!Array.isArray(keys) || keys.length !== checks.length) throw new Problem('invalid_cursor');
  return checks.map((check, position) => {
    const written: unknown = keys[position];
    const key = typeof written === 'number' ? String(written) : written;
    if (typeof key !== 'string' || !check(key)) throw new Problem('invalid_cursor');
    return key;
  });
}

/** Turns `rows` (queried with `limit` + 1) into a page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keys: (row: Row) => readonly (string | number)[],
  view: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(keys(last)) : null,
  };
}

/** Whether a key is an instant as `toISOString` writes it. */
export function isInstantKey(key: string): boolean {
  const instant = Date.parse(key);
  return !Number.isNaN(instant) && new Date(instant).toISOString() === key;
}

/** Whether PostgreSQL can hold a key as text. */
export function isTextKey(key: string): boolean {
  return key.length <= 200 && !key.includes('\0') && !/\p{Cs}/u.test(key);
}
