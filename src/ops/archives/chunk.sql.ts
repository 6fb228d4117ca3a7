import type { ArchivedTable, ArchivedThing } from '../../platform/archives/archived-thing.js';

/*
 * The statements of one thing. All take $1 the tenant's id, $2 ids or a position, $3 now, and then the cutoffs in their
 * order.
 */

const FIRST_CUTOFF = 4;
const NO_ID = `'00000000-0000-0000-0000-000000000000'`;

/** The first table of a thing. */
export function rootOf({ tables: [root] }: ArchivedThing): ArchivedTable {
  return root;
}

/** Tables whose rows have rows below them: locked, so that nothing is added meanwhile. */
export function parentsOf({ tables }: ArchivedThing): ArchivedTable[] {
  const parents = new Set(tables.map(({ parent }) => parent?.table));
  return tables.filter(({ table, parent }) => parent !== null && parents.has(table));
}

function parametersOf({ cutoffs }: ArchivedThing) {
  return {
    tenant_id: '$1::uuid',
    now: '$3::timestamptz',
    ...Object.fromEntries(cutoffs.map((cutoff, place) => [cutoff, `$${FIRST_CUTOFF + place}::timestamptz`])),
  };
}

/** Whether the row `r` may be archived and deleted: it is finished, and was not restored lately. */
function mayGoSql(thing: ArchivedThing): string {
  const p = parametersOf(thing);
  return `(${thing.finishedSql('r', p)} AND NOT EXISTS (
    SELECT FROM archives held
    WHERE held.tenant_id = $1 AND held.thing = '${thing.name}' AND held.held_until > $3
      AND r.id BETWEEN held.first_id AND held.last_id))`;
}

/** A page of rows: `id`, `position`, `may_go`, and whether each is `young`: at or after the cutoff `until`. */
export interface PageRow {
  id: string;
  position: string;
  may_go: boolean;
  young: boolean;
}

/** Rows in the order of their ids, which grow with time, after the position $2. */
export function pageSql(thing: ArchivedThing, limit: number): string {
  const rows = `
    SELECT *, id::text AS position FROM ${rootOf(thing).table}
    WHERE tenant_id = $1 AND id > coalesce(nullif($2::text, ''), ${NO_ID})::uuid
    ORDER BY id LIMIT ${limit}`;
  return pageOfSql(thing, rows);
}

/** Younger rows that may go, after the position $2. Null: there are none. */
export function earlyPageSql(thing: ArchivedThing, limit: number): string | null {
  const rows = thing.earlySql?.(parametersOf(thing), '$2::text', limit);
  return rows === undefined ? null : pageOfSql(thing, rows);
}

function pageOfSql(thing: ArchivedThing, rows: string): string {
  const until = FIRST_CUTOFF + thing.cutoffs.indexOf(thing.until);
  return `
    SELECT r.id, r.position, ${mayGoSql(thing)} AS may_go, r.${thing.instant} >= $${until} AS young
    FROM (${rows}) r`;
}

/** The ids of a page that may go. */
export function mayGoOnlySql(page: string): string {
  return `SELECT id FROM (${page}) page WHERE may_go`;
}

/** Locks those of the ids $2 that no other transaction has locked. Only $1 and $2. */
export function lockRootsSql(thing: ArchivedThing): string {
  return `
    SELECT id FROM ${rootOf(thing).table} WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
}

/** The same for the rows of `table` below the ids $2: `id` and `parent`. */
export function lockChildrenSql({ table, parent }: ArchivedTable): string {
  const column = parent?.column ?? '';
  return `
    SELECT id, ${column} AS parent FROM ${table} WHERE tenant_id = $1 AND ${column} = ANY ($2::uuid[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
}

/** What is true of the locked ids $2 now: `id`, `at`, `may_go`, and `children`: how many rows each locked table has. */
export function recheckSql(thing: ArchivedThing): string {
  const counts = parentsOf(thing).map(
    ({ table, parent }) =>
      `(SELECT count(*) FROM ${table} c WHERE c.tenant_id = $1 AND c.${parent?.column ?? ''} = r.id)`,
  );
  return `
    SELECT r.id, r.${thing.instant} AS at, ${mayGoSql(thing)} AS may_go, ${counts.join(' + ') || '0'} AS children
    FROM ${rootOf(thing).table} r WHERE r.tenant_id = $1 AND r.id = ANY ($2::uuid[]) ORDER BY r.id`;
}

/** The rows of a table below the ids $2 (of the first table: with these ids): `id` (or null), `parent`, `line`. */
export function linesSql({ table, parent, key }: ArchivedTable): string {
  const column = parent?.column ?? 'id';
  return `
    SELECT ${key.length === 1 && key[0] === 'id' ? 't.id' : 'NULL::uuid'} AS id, t.${column} AS parent,
           to_jsonb(t)::text AS row
    FROM ${table} t WHERE t.tenant_id = $1 AND t.${column} = ANY ($2::uuid[])
    ORDER BY ${key.map((name) => `t.${name}`).join(', ')}`;
}

/** Deletes them. */
export function deleteSql({ table, parent }: ArchivedTable): string {
  return `DELETE FROM ${table} WHERE tenant_id = $1 AND ${parent?.column ?? 'id'} = ANY ($2::uuid[])`;
}
