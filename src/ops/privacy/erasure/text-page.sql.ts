import { ERASED } from './needles.js';
import { pageOf, type TextColumn, type TextTable } from './text-tables.js';

export interface TextPage {
  /** Rows of the page. */
  seen: number;
  /** Rows of it that named the person. */
  changed: number;
  /** The key of its last row; null without rows. */
  last: string[] | null;
}

const PATTERN = '$2';
const LOOSE = '$4';

/** How the column is written without the person. */
const WITHOUT: Record<TextColumn, (column: string) => string> = {
  text: (column) => replaced(column),
  jsonb: (column) => `${replaced(`${column}::text`)}::jsonb`,
  json: (column) => `${replaced(`${column}::text`)}::json`,
  key: (column) => `CASE WHEN ${column} ~* ${PATTERN} THEN 'erased:' || gen_random_uuid() ELSE ${column} END`,
};

/**
 * Replaces what the pattern finds in the texts of a page of rows, in the order of their keys.
 * $1 tenant id, $2 a regular expression, $3 the key of the last row before the page, or null, $4 a loose one that finds
 * all that the other does
 */
export function textPageSql(of: TextTable): string {
  const { table, key, columns } = of;
  const names = Object.keys(key);
  const keyOf = (alias: string) => names.map((name) => `${alias}.${name}`).join(', ');
  const same = (alias: string) => names.map((name) => `t.${name} = ${alias}.${name}`).join(' AND ');
  const position = Object.values(key).map((type, at) => `($3::text[])[${at + 1}]::${type}`);
  const found = Object.keys(columns).map(
    (column) => `CASE WHEN t.${column}::text ~* ${LOOSE} THEN t.${column}::text ~* ${PATTERN} END`,
  );
  const written = Object.entries(columns).map(
    ([column, type]) => `${column} = ${WITHOUT[type](`t.${column}`)}`,
  );
  return `
  WITH page AS MATERIALIZED (
    SELECT ${keyOf('t')} FROM ${table} t
    WHERE t.tenant_id = $1 AND ($3::text[] IS NULL OR (${keyOf('t')}) > (${position.join(', ')}))
    ORDER BY ${keyOf('t')} LIMIT ${pageOf(of)}
  ),
  found AS MATERIALIZED (
    SELECT ${keyOf('t')} FROM page p JOIN ${table} t ON t.tenant_id = $1 AND ${same('p')}
    WHERE ${found.join(' OR ')}
    ORDER BY ${keyOf('t')} FOR UPDATE OF t
  ),
  changed AS (
    UPDATE ${table} t SET ${written.join(', ')}
    FROM found f WHERE t.tenant_id = $1 AND ${same('f')} RETURNING 1
  )
  SELECT (SELECT count(*) FROM page) AS seen, (SELECT count(*) FROM changed) AS changed,
         (SELECT ARRAY[${names.map((name) => `p.${name}::text`).join(', ')}] FROM page p
          ORDER BY ${names.map((name) => `p.${name} DESC`).join(', ')} LIMIT 1) AS last`;
}

function replaced(text: string): string {
  return `regexp_replace(${text}, ${PATTERN}, '${ERASED}', 'gi')`;
}
