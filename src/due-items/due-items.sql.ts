/** A table of due items, and its column that says when one came to its end. */
export interface DueTable {
  table: 'deadlines' | 'document_requests' | 'tasks';
  endedAt: 'completed_at' | 'received_at';
  /** The status of one that has not come to its end, before its day has passed and after. */
  open: 'pending' | 'missing' | 'open';
  late: 'overdue' | 'missing';
}

/** The status of an open item with this due date, as an SQL expression: what DueItem.settle says of one. */
export function openStatusSql({ open, late }: DueTable, dueOn: string, today: string): string {
  return `CASE WHEN ${dueOn} < ${today}::date THEN '${late}' ELSE '${open}' END`;
}

/**
 * The open items whose date is near enough (or far enough past) to have reached a stage: all columns, with
 * `days_left` (negative once late) and `stage`, the nearest reached: the smallest one >= days_left.
 * Parameters: $1 tenant id, $2 today (civil date), $3 stages (integer[]).
 */
export function reachedSql({ table, endedAt }: DueTable): string {
  return `
    SELECT item.*, item.due_on - $2::date AS days_left,
           (SELECT min(s) FROM unnest($3::int[]) AS s WHERE s >= item.due_on - $2::date) AS stage
    FROM ${table} item
    WHERE item.tenant_id = $1 AND item.${endedAt} IS NULL
      AND item.due_on <= $2::date + (SELECT max(s) FROM unnest($3::int[]) AS s)`;
}

/**
 * What the weekly summary says of a table: its open items that are late or due within seven days, as
 * `id, responsible_id, title, client_name, due_on, days_left`.
 * Parameters: $1 tenant id, $2 today (civil date).
 */
export function summarySql({ table, endedAt }: DueTable): string {
  return `
    SELECT item.id, item.responsible_id, item.title, item.client_name, item.due_on,
           item.due_on - $2::date AS days_left
    FROM ${table} item
    WHERE item.tenant_id = $1 AND item.${endedAt} IS NULL AND item.due_on <= $2::date + 7`;
}

/**
 * Makes open items overdue whose date has passed, and the others `open` again; touches no row that is right.
 * Parameters: $1 tenant id, $2 today (civil date), $3 now.
 */
export function overdueSql(due: DueTable): string {
  const { table, endedAt, open } = due;
  return `
    UPDATE ${table} SET status = ${openStatusSql(due, 'due_on', '$2')}, updated_at = $3
    WHERE tenant_id = $1 AND ${endedAt} IS NULL
      AND ((due_on < $2::date AND status = '${open}') OR (due_on >= $2::date AND status = 'overdue'))`;
}

/** A number of days in words, as an SQL expression of the integer expression `n`. */
export function daysSql(n: string): { fr: string; en: string } {
  const counted = (day: string) => `${n} || CASE WHEN ${n} = 1 THEN ' ${day}' ELSE ' ${day}s' END`;
  return { fr: counted('jour'), en: counted('day') };
}

/** A notification's body, as an SQL expression: the client, and the due date behind these words. */
export function dueBodySql(words: { fr: string; en: string }): string {
  return `jsonb_build_object(
           'fr', concat_ws(' · ', client_name, '${words.fr} ' || to_char(due_on, 'DD/MM/YYYY')),
           'en', concat_ws(' · ', client_name, '${words.en} ' || to_char(due_on, 'FMDD FMMonth YYYY')))`;
}
