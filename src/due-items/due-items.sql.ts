/** A table of due items, and the column that records the end of an item. */
export interface DueTable {
  table: 'deadlines' | 'document_requests' | 'tasks' | 'tickets';
  endedAt: 'completed_at' | 'received_at' | 'settled_at';
  /** The status of an open item, before its due date has passed and after. */
  open: 'pending' | 'missing' | 'open';
  late: 'overdue' | 'missing' | 'open';
  /** The status of an ended item. */
  ended: 'done' | 'received' | 'settled';
}

/** The status of an open item with this due date, as an SQL expression: the same as DueItem.settle sets. */
export function openStatusSql({ open, late }: DueTable, dueOn: string, today: string): string {
  return `CASE WHEN ${dueOn} < ${today}::date THEN '${late}' ELSE '${open}' END`;
}

/**
 * The facts of a table: its open items whose date is near enough (or far enough past) to have reached a stage, as a
 * `WatchedKind` returns them. `stage` is the nearest one reached: the smallest that is >= days_left (negative once
 * late).
 * @param severity an SQL expression of `days_left`
 * @param own columns that only some tables have
 */
export function dueFactsSql(
  { table, endedAt }: DueTable,
  { source_type, severity, own = [] }: { source_type: string; severity: string; own?: readonly string[] },
): (p: Readonly<Record<'tenant_id' | 'today' | 'stages', string>>) => string {
  return (p) => `
    SELECT id AS source_id, '${source_type}:' || id || ':' || to_char(due_on, 'YYYY-MM-DD') AS dedupe_key,
           stage, ${severity} AS severity, responsible_id, updated_at AS changed_at,
           ${['title', 'description', 'client_name', 'due_on', ...own].join(', ')}
    FROM (
      SELECT item.*, item.due_on - ${p.today} AS days_left,
             (SELECT min(s) FROM unnest(${p.stages}) AS s WHERE s >= item.due_on - ${p.today}) AS stage
      FROM ${table} item
      WHERE item.tenant_id = ${p.tenant_id} AND item.${endedAt} IS NULL
        AND item.due_on <= ${p.today} + (SELECT max(s) FROM unnest(${p.stages}) AS s)) item`;
}

/** The `data` of a fact of `dueFactsSql`, aliased as `f`: independent of the day it is read. */
export function dueDataSql(source_type: string, own: readonly string[] = []): string {
  const fields = ['title', 'description', 'client_name', 'due_on', ...own].map(
    (field) => `'${field}', f.${field}`,
  );
  return `jsonb_build_object('${source_type}_id', f.source_id, ${fields.join(', ')})`;
}

/**
 * The items of a table for the weekly summary: open ones that are late or due in the period, as `id, responsible_id,
 * title, client_name, due_on`. Parameters: $1 tenant id, $2 the first and $3 the last civil date of the period; late
 * items are included.
 */
export function summarySql({ table, endedAt }: DueTable): string {
  return `
    SELECT item.id, item.responsible_id, item.title, item.client_name, item.due_on
    FROM ${table} item
    WHERE item.tenant_id = $1 AND item.${endedAt} IS NULL AND item.due_on <= $3::date`;
}

/**
 * Marks open items overdue once their date has passed, and the others `open` again; does not touch correct rows.
 * Parameters: $1 tenant id, $2 today (civil date), $3 now.
 */
export function overdueSql(due: DueTable): string {
  const { table, endedAt, open } = due;
  return `
    UPDATE ${table} SET status = ${openStatusSql(due, 'due_on', '$2')}, updated_at = $3
    WHERE tenant_id = $1 AND ${endedAt} IS NULL
      AND ((due_on < $2::date AND status = '${open}') OR (due_on >= $2::date AND status = 'overdue'))`;
}
