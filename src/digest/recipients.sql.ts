import { DEADLINES_SUMMARY } from '../deadlines/deadlines.facts.js';
import { DOCUMENTS_SUMMARY } from '../documents/documents.facts.js';
import { TASKS_SUMMARY } from '../tasks/tasks.facts.js';

/** Lines a list shows at most. */
const MOST_LINES = 20;

/** The lists of a summary, each with the query of the room it comes from. */
const LISTS = {
  deadlines: DEADLINES_SUMMARY,
  documents: DOCUMENTS_SUMMARY,
  tasks: TASKS_SUMMARY,
} as const;

const names = Object.keys(LISTS);

const ITEMS = Object.entries(LISTS)
  .map(([list, summary]) => `SELECT '${list}' AS list, ${list}.* FROM (${summary}) ${list}`)
  .join(' UNION ALL ');

const LINES = names
  .map(
    (list) =>
      `'${list}', coalesce(jsonb_agg(line ORDER BY place) FILTER (WHERE list = '${list}' AND place <= ${MOST_LINES}), '[]')`,
  )
  .join(', ');

const TOTALS = names.map((list) => `'${list}', count(*) FILTER (WHERE list = '${list}')`).join(', ');

/**
 * Everybody with something to say: `user_id, locale, lists, totals`, in user order. A user has what they are
 * responsible for, an admin also what nobody is.
 * Parameters: $1 tenant id, $2 today (civil date in the tenant's zone), $3 the user to begin after (or null),
 * $4 users at most.
 */
export const RECIPIENTS_SQL = `
  WITH items AS (${ITEMS}),
  told AS (
    SELECT responsible_id AS user_id, items.* FROM items WHERE responsible_id IS NOT NULL
    UNION ALL
    SELECT u.id, items.* FROM items, users u
    WHERE items.responsible_id IS NULL AND u.tenant_id = $1 AND u.role = 'admin'
  ),
  placed AS (
    SELECT user_id, list, row_number() OVER (PARTITION BY user_id, list ORDER BY due_on, id) AS place,
           jsonb_build_object('title', title, 'client_name', client_name, 'due_on', due_on,
                              'days_left', days_left) AS line
    FROM told WHERE user_id > $3 OR $3::uuid IS NULL
  )
  SELECT p.user_id, coalesce(u.locale, t.locale) AS locale,
         jsonb_build_object(${LINES}) AS lists,
         jsonb_build_object(${TOTALS}) AS totals
  FROM placed p
  JOIN users u ON u.tenant_id = $1 AND u.id = p.user_id
  JOIN tenants t ON t.id = $1
  GROUP BY p.user_id, u.locale, t.locale
  ORDER BY p.user_id
  LIMIT $4`;
