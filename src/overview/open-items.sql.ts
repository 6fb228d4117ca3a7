import { DEADLINES_SUMMARY } from '../deadlines/deadlines.facts.js';
import { DOCUMENTS_SUMMARY } from '../documents/documents.facts.js';
import { TASKS_SUMMARY } from '../tasks/tasks.facts.js';

/** Lines of a section: the rest is one click away. */
const MAX_LINES = 8;

const LISTS = {
  deadline: DEADLINES_SUMMARY,
  document: DOCUMENTS_SUMMARY,
  task: TASKS_SUMMARY,
} as const;

const ITEMS = Object.entries(LISTS)
  .map(([type, summary]) => `SELECT '${type}' AS type, ${type}_items.* FROM (${summary}) ${type}_items`)
  .join(' UNION ALL ');

/** The first lines of the set `placed`, in order, and the counts of all of it by type, as columns. */
const COLUMNS = `
  coalesce(jsonb_agg(jsonb_build_object('type', p.type, 'id', p.id, 'title', p.title, 'client_name', p.client_name,
      'due_on', p.due_on, 'responsible_id', p.responsible_id, 'responsible_name', u.name) ORDER BY p.place)
    FILTER (WHERE p.place <= ${MAX_LINES}), '[]') AS lines,
  count(*)::int AS total,
  ${Object.keys(LISTS)
    .map((type) => `count(*) FILTER (WHERE p.type = '${type}')::int AS ${type}`)
    .join(', ')}`;

const RESPONSIBLE = `LEFT JOIN users u ON u.tenant_id = $1 AND u.id = p.responsible_id AND p.place <= ${MAX_LINES}`;

/**
 * Open items by section, the earliest first: `section, lines, total, deadline, document, task`. A section without items
 * has no row. Parameters: $1 tenant id, $2 today and $3 the last day (civil dates), $4 the responsible user, null: of
 * everybody. Indexes: deadlines_open and the like.
 */
export const SECTIONS = `
  WITH items AS (${ITEMS}),
  sections AS (
    SELECT *, CASE WHEN due_on < $2::date THEN 'late' WHEN due_on = $2::date THEN 'today' ELSE 'week' END AS section
    FROM items WHERE $4::uuid IS NULL OR responsible_id = $4
  ),
  placed AS (
    SELECT *, row_number() OVER (PARTITION BY section ORDER BY due_on, type, id) AS place FROM sections
  )
  SELECT p.section, ${COLUMNS} FROM placed p ${RESPONSIBLE} GROUP BY p.section`;

/**
 * The documents that are awaited, the earliest first: `lines, total, late`. The same parameters as SECTIONS;
 * $3 sets no limit.
 */
export const DOCUMENTS = `
  WITH placed AS (
    SELECT *, 'document' AS type, row_number() OVER (ORDER BY due_on, id) AS place
    FROM (${DOCUMENTS_SUMMARY}) items WHERE $4::uuid IS NULL OR responsible_id = $4
  )
  SELECT ${COLUMNS}, count(*) FILTER (WHERE p.due_on < $2::date)::int AS late FROM placed p ${RESPONSIBLE}`;
