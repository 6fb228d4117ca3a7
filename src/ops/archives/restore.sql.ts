import type { ArchivedTable } from '../../platform/archives/archived-thing.js';

/** The columns of a table that rows can set: `name`. $1 table */
export const COLUMNS_OF = `
  SELECT attname AS name FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`;

/**
 * Inserts rows that do not exist yet, and whose parent and references do.
 * $1 tenant id, $2 the rows, a JSON array. @returns the keys of inserted rows
 * @param columns their columns, all of them known to the table
 */
export function restoreSql(
  { table, parent, references = [] }: ArchivedTable,
  columns: readonly string[],
): string {
  const exists = (of: string, column: string) =>
    `EXISTS (SELECT FROM ${of} o WHERE o.tenant_id = $1 AND o.id = r.${column})`;
  const cleared = new Map(
    references.filter(({ missing }) => missing === 'clear').map((one) => [one.column, one.table]),
  );
  const conditions = [
    ...(parent === null ? [] : [exists(parent.table, parent.column)]),
    ...references
      .filter(({ missing }) => missing === 'skip')
      .map((one) => `(r.${one.column} IS NULL OR ${exists(one.table, one.column)})`),
  ];
  const values = columns.map((column) => {
    const of = cleared.get(column);
    return of === undefined ? `r.${column}` : `CASE WHEN ${exists(of, column)} THEN r.${column} END`;
  });
  return `
    INSERT INTO ${table} (${columns.join(', ')})
    SELECT ${values.join(', ')}
    FROM jsonb_populate_recordset(NULL::${table}, $2::jsonb) r
    WHERE ${conditions.join(' AND ') || 'true'}
    ON CONFLICT DO NOTHING
    RETURNING ${parent === null ? 'id' : 'NULL::uuid AS id'}`;
}
