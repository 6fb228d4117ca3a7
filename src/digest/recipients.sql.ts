import { DEADLINES_SUMMARY } from '../deadlines/deadlines.facts.js';
import { DOCUMENTS_SUMMARY } from '../documents/documents.facts.js';
import { responsibleOrAdminsSql } from '../notifications/audience.js';
import { TASKS_SUMMARY } from '../tasks/tasks.facts.js';

/** Maximum lines in each half of a summary. */
const MAX_LINES = 30;

/** The lists of a summary, each with its room's query. */
const LISTS = {
  deadlines: DEADLINES_SUMMARY,
  documents: DOCUMENTS_SUMMARY,
  tasks: TASKS_SUMMARY,
} as const;

const ITEMS = Object.entries(LISTS)
  .map(([list, summary]) => `SELECT '${list}' AS list, ${list}.* FROM (${summary}) ${list}`)
  .join(' UNION ALL ');

const lines = (half: string) =>
  `coalesce(jsonb_agg(line ORDER BY place) FILTER (WHERE ${half} AND place <= ${MAX_LINES}), '[]')`;

const TOTALS = [
  ...Object.keys(LISTS).map((list) => `'${list}', count(*) FILTER (WHERE list = '${list}')`),
  `'late', count(*) FILTER (WHERE late)`,
  `'upcoming', count(*) FILTER (WHERE NOT late)`,
].join(', ');

/**
 * Users whose summary is not empty: `user_id, late, upcoming, totals`, ordered by user. The lines of each half are
 * ordered by date. Parameters: $1 tenant id, $2 the first and $3 the last civil date of the period, $4 the user to
 * start after (or null), $5 maximum number of users.
 */
export const RECIPIENTS_SQL = `
  WITH items AS (${ITEMS}),
  placed AS (
    SELECT user_id, list, due_on < $2::date AS late,
           row_number() OVER (PARTITION BY user_id, due_on < $2::date ORDER BY due_on, id) AS place,
           jsonb_build_object('id', id, 'list', list, 'title', title, 'client_name', client_name,
                              'due_on', due_on, 'audience', audience) AS line
    FROM (${responsibleOrAdminsSql('items', '$1')}) audience
    WHERE user_id > $4 OR $4::uuid IS NULL
  )
  SELECT user_id, ${lines('late')} AS late, ${lines('NOT late')} AS upcoming, jsonb_build_object(${TOTALS}) AS totals
  FROM placed
  GROUP BY user_id
  ORDER BY user_id
  LIMIT $5`;
