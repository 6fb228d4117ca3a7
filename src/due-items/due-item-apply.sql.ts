import { type DueTable, openStatusSql } from './due-items.sql.js';
import { dropRowsSql, keepChangesSql, keepFaultsSql } from '../imports/staging.js';
import { comparableSql } from '../platform/text/comparable.sql.js';

/** A kind of due items, in SQL. */
export interface ImportedTable {
  due: DueTable;
  own: readonly string[];
  /** Those of `own` that are whole numbers. */
  numbers?: readonly string[];
}

/** Fields that may be null. */
function nullableOf({ own }: ImportedTable): string[] {
  return ['client_name', 'description', 'responsible_id', ...own];
}

/** An item in the form of a line, as an SQL expression of `item`. */
function contentSql(kind: ImportedTable): string {
  const item = (column: string) => `'${column}', item.${column}`;
  return `jsonb_build_object(${['title', 'due_on', ...nullableOf(kind)].map(item).join(', ')})`;
}

/**
 * What to do with each staged line, as the CTE `decided` and those it needs: `outcome` is created, updated, unchanged or
 * repeated. `faults` has the lines that cannot be applied. Parameters: $1 tenant id, $2 import id.
 * - A line with an external id updates the item that has it if something differs, or creates it. A repetition in the
 * same file counts as unchanged if it has the same content, and is a fault otherwise, because either could be meant.
 * - A line without one creates an item unless an item (ended or not) equals all fields of the line, or an earlier line
 * of the file has the same content.
 * - Texts are compared by `comparable`: a no-break space is a space.
 */
function decidedSql(kind: ImportedTable): string {
  const { table } = kind.due;
  const nullable = nullableOf(kind);
  const content = contentSql(kind);
  return `
    people AS (
      SELECT id, id::text AS name FROM users WHERE tenant_id = $1
      UNION ALL SELECT id, lower(email) FROM users WHERE tenant_id = $1
    ),
    named AS (
      SELECT line, fields, fields ->> 'external_id' AS external_id,
             lower(coalesce(fields ->> 'responsible_id', fields ->> 'responsible_email')) AS person
      FROM import_rows WHERE tenant_id = $1 AND import_id = $2
    ),
    staged AS MATERIALIZED (
      SELECT n.line, n.external_id, p.id AS responsible_id, n.person IS NOT NULL AND p.id IS NULL AS nobody,
             CASE WHEN n.fields ->> 'responsible_id' IS NOT NULL THEN 'responsible_id'
                  ELSE 'responsible_email' END AS person_field,
             (n.fields - ARRAY['external_id', 'responsible_id', 'responsible_email'])
             || CASE WHEN n.fields ?| ARRAY['responsible_id', 'responsible_email']
                     THEN jsonb_build_object('responsible_id', p.id) ELSE '{}' END AS content
      FROM named n LEFT JOIN people p ON p.name = n.person
    ),
    ordered AS MATERIALIZED (
      SELECT s.*, same, jsonb_strip_nulls(same) AS said,
             ARRAY(SELECT c FROM unnest(ARRAY[${nullable.map((c) => `'${c}'`).join(', ')}]) c
                   WHERE NOT content ? c) AS unsaid,
             row_number() OVER again AS nth, first_value(jsonb_strip_nulls(same)) OVER again AS first_said,
             first_value(line) OVER again AS first_line
      FROM staged s CROSS JOIN LATERAL (SELECT ${comparableSql('content')} AS same OFFSET 0) compared
      WHERE NOT nobody
      WINDOW again AS (PARTITION BY external_id, CASE WHEN external_id IS NULL THEN jsonb_strip_nulls(same) END
                       ORDER BY line)
    ),
    known AS MATERIALIZED (
      SELECT DISTINCT m.unsaid, ${comparableSql(content)} - m.unsaid AS same
      FROM (SELECT DISTINCT unsaid FROM ordered WHERE external_id IS NULL) m
      CROSS JOIN (SELECT DISTINCT (content ->> 'due_on')::date AS due_on FROM ordered WHERE external_id IS NULL) d
      JOIN ${table} item ON item.tenant_id = $1 AND item.due_on = d.due_on
    ),
    decided AS MATERIALIZED (
      SELECT o.*, item.id AS item_id, item.due_on AS was_due_on,
             CASE
               WHEN o.nth > 1 AND o.said <> o.first_said THEN 'repeated'
               WHEN o.nth > 1 THEN 'unchanged'
               WHEN o.external_id IS NULL THEN CASE WHEN k.same IS NULL THEN 'created' ELSE 'unchanged' END
               WHEN item.id IS NULL THEN 'created'
               WHEN ${comparableSql(content)} - o.unsaid <> o.same THEN 'updated'
               ELSE 'unchanged'
             END AS outcome
      FROM ordered o
      LEFT JOIN ${table} item ON item.tenant_id = $1 AND item.external_id = o.external_id
      LEFT JOIN known k ON o.external_id IS NULL AND k.unsaid = o.unsaid AND k.same = o.same
    ),
    faults AS (
      SELECT line, person_field AS field, 'is not a user of this tenant' AS detail FROM staged WHERE nobody
      UNION ALL
      SELECT line, 'external_id', format('line %s has it too, and says something else', first_line)
      FROM decided WHERE outcome = 'repeated'
    )`;
}

/**
 * Staged lines → due items, in one statement, which returns an `Applied`. Absent fields stay unchanged; null clears.
 * Parameters: $1 tenant id, $2 import id, $3 today (civil date), $4 now.
 */
export function dueItemApplySql(kind: ImportedTable): string {
  const { due, numbers = [] } = kind;
  const { table, endedAt } = due;
  const nullable = nullableOf(kind);
  const typed = (column: string) =>
    ({ due_on: `(d.content ->> 'due_on')::date`, responsible_id: 'd.responsible_id' })[column] ??
    (numbers.includes(column) ? `(d.content ->> '${column}')::integer` : `d.content ->> '${column}'`);
  const columns = ['title', 'due_on', ...nullable];
  return `
    WITH ${decidedSql(kind)},
    created AS (
      INSERT INTO ${table} (tenant_id, external_id, ${columns.join(', ')}, status, created_at, updated_at)
      SELECT $1, d.external_id, ${columns.map(typed).join(', ')},
             ${openStatusSql(due, `(d.content ->> 'due_on')::date`, '$3')}, $4::timestamptz, $4::timestamptz
      FROM decided d WHERE d.outcome = 'created' ORDER BY d.line
      RETURNING 1
    ),
    updated AS (
      UPDATE ${table} item
      SET title = ${typed('title')}, due_on = ${typed('due_on')},
          ${nullable.map((c) => `${c} = CASE WHEN d.content ? '${c}' THEN ${typed(c)} ELSE item.${c} END`).join(', ')},
          status = CASE WHEN item.${endedAt} IS NULL AND ${typed('due_on')} <> item.due_on
                        THEN ${openStatusSql(due, typed('due_on'), '$3')} ELSE item.status END,
          updated_at = $4
      FROM decided d
      WHERE d.outcome = 'updated' AND item.tenant_id = $1 AND item.id = d.item_id
      RETURNING item.id, item.due_on <> d.was_due_on AS moved
    ),
    kept AS (${keepFaultsSql('faults')})
    SELECT (SELECT count(*) FROM created) AS created,
           (SELECT count(*) FROM updated) AS updated,
           (SELECT count(*) FROM decided WHERE outcome = 'unchanged') AS unchanged,
           (SELECT count(*) FROM faults) AS rejected,
           coalesce((SELECT array_agg(id) FROM updated WHERE moved), '{}') AS moved_ids`;
}

/**
 * Compares staged lines with the items, in one statement, which returns a `Compared`: stores the changes, and
 * the faults in place of their lines. Parameters: $1 tenant id, $2 import id.
 */
export function dueItemCompareSql(kind: ImportedTable): string {
  const { table, endedAt } = kind.due;
  return `
    WITH ${decidedSql(kind)},
    kept AS (${keepFaultsSql('faults')}),
    dropped AS (${dropRowsSql('faults')}),
    missing AS (
      SELECT item.id, item.title, item.due_on, item.client_name FROM ${table} item
      WHERE item.tenant_id = $1 AND item.${endedAt} IS NULL AND item.external_id IS NOT NULL
        AND EXISTS (SELECT FROM named WHERE external_id IS NOT NULL)
        AND NOT EXISTS (SELECT FROM named WHERE named.external_id = item.external_id)
    ),
    changes AS (
      SELECT 1 AS part, d.line, d.outcome, NULL::uuid AS item_id, d.content ->> 'title' AS title, '{}'::jsonb AS before,
             (SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(jsonb_strip_nulls(d.content))) AS after
      FROM decided d WHERE d.outcome = 'created'
      UNION ALL
      SELECT 1, d.line, d.outcome, item.id, item.title, differing.before, differing.after
      FROM decided d JOIN ${table} item ON item.tenant_id = $1 AND item.id = d.item_id
      CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(key, was.value #>> '{}'), '{}') AS before,
               coalesce(jsonb_object_agg(key, becomes.value #>> '{}'), '{}') AS after
        FROM jsonb_each(${contentSql(kind)}) was JOIN jsonb_each(d.content) becomes USING (key)
        WHERE was.value <> becomes.value
      ) differing
      WHERE d.outcome = 'updated'
      UNION ALL
      SELECT 2, NULL, 'missing', id, title, jsonb_build_object('due_on', due_on, 'client_name', client_name), '{}'
      FROM missing
    ),
    noted AS (${keepChangesSql('changes', "part, line, before ->> 'due_on', item_id")})
    SELECT (SELECT count(*) FROM decided WHERE outcome = 'created') AS created,
           (SELECT count(*) FROM decided WHERE outcome = 'updated') AS updated,
           (SELECT count(*) FROM decided WHERE outcome = 'unchanged') AS unchanged,
           (SELECT count(DISTINCT line) FROM faults) AS rejected,
           (SELECT count(*) FROM missing) AS missing`;
}
