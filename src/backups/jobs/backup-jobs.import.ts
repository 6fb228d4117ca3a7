import { type Applied, columnNames, type Compared, type ImportKind } from '../../imports/import-kind.js';
import { dropRowsSql, keepChangesSql, keepFaultsSql } from '../../imports/staging.js';
import { DEFAULT_GRACE_MINUTES, EVERY_DAY, MAX_GRACE_MINUTES, NewBackupJob } from './backup-jobs.dto.js';
import { dayCell, numberCell, timeCell } from './csv-cells.js';
import { adoptEntries } from './adopting.js';
import { lockJobs } from './job-lock.js';

/** Import of expected backups. Agent and database identify a job: a line updates it, or creates it. */
export const BACKUP_JOB_FILES: ImportKind = {
  name: 'backup_jobs',
  source_type: 'backup_job',
  who: 'admin',
  row: NewBackupJob,
  required: ['agent_id', 'database_name', 'company_name', 'city', 'expected_time'],
  columns: columnNames({
    agent_id: ['agent', 'id_agent', 'agent_de_sauvegarde'],
    database_name: ['base', 'base_de_donnees', 'nom_de_la_base', 'nom_base', 'database'],
    company_name: ['societe', 'entreprise', 'raison_sociale', 'company'],
    city: ['ville'],
    neighborhood: ['quartier', 'neighbourhood'],
    expected_time: ['heure_prevue', 'heure_attendue', 'heure'],
    days_of_week: ['jours', 'jours_de_la_semaine', 'days'],
    grace_minutes: ['delai_minutes', 'delai', 'delai_en_minutes', 'tolerance', 'tolerance_minutes', 'grace'],
  }),
  ambiguous: new Map([['nom', ['database_name']]]),
  cells: {
    expected_time: { read: timeCell, takes: 'a time of day, such as 02:00, 2:00 or 2h30' },
    days_of_week: { read: dayCell, takes: 'days of the week, such as lun-ven or 1,3,5 (1 is Monday)' },
    grace_minutes: { read: numberCell, takes: `a whole number of minutes from 0 to ${MAX_GRACE_MINUTES}` },
  },
  lists: ['days_of_week'],
  land: async (tx, { import_id, now }) => {
    await lockJobs(tx, 'exclusive');
    const applied = await tx.one<Applied & { created_ids: string[] }>(APPLY, [tx.tenant_id, import_id, now]);
    if (applied === null) throw new Error('applying returned nothing');
    const { created_ids, ...counts } = applied;
    await adoptEntries(tx, created_ids, now);
    return counts;
  },
  compare: async (tx, importId) => {
    const compared = await tx.one<Compared>(COMPARE, [tx.tenant_id, importId]);
    if (compared === null) throw new Error('comparing returned nothing');
    return compared;
  },
};

const DEFAULTS = JSON.stringify({
  neighborhood: null,
  days_of_week: EVERY_DAY,
  grace_minutes: DEFAULT_GRACE_MINUTES,
});

/** Columns that a line may change, each read from the jsonb `wanted`. */
const WANTED: Readonly<Record<string, string>> = {
  company_name: `d.wanted ->> 'company_name'`,
  city: `d.wanted ->> 'city'`,
  neighborhood: `d.wanted ->> 'neighborhood'`,
  expected_time: `d.wanted ->> 'expected_time'`,
  days_of_week: `ARRAY(SELECT day::smallint FROM jsonb_array_elements_text(d.wanted -> 'days_of_week') day)`,
  grace_minutes: `(d.wanted ->> 'grace_minutes')::integer`,
};
const COLUMNS = Object.keys(WANTED).join(', ');

/**
 * What to do with each staged line, as the CTE `decided` and those it needs: `outcome` is created, updated, unchanged or
 * repeated; `faults` has the repeated ones. An omitted field stays unchanged, or gets its default. A second line for the
 * same job changes nothing if its values are the same, and is an error if they differ: the server cannot know which one
 * is right. Parameters: $1 tenant id, $2 import id.
 */
const DECIDED = `
  staged AS (
    SELECT line, fields ->> 'agent_id' AS agent_id, fields ->> 'database_name' AS database_name,
           fields - ARRAY['agent_id', 'database_name'] AS content
    FROM import_rows WHERE tenant_id = $1 AND import_id = $2
  ),
  ordered AS MATERIALIZED (
    SELECT *, jsonb_strip_nulls(content) AS given, row_number() OVER again AS nth,
           first_value(jsonb_strip_nulls(content)) OVER again AS first_given, first_value(line) OVER again AS first_line
    FROM staged WINDOW again AS (PARTITION BY agent_id, database_name ORDER BY line)
  ),
  known AS (
    SELECT id, agent_id, database_name,
           jsonb_build_object(${Object.keys(WANTED)
             .map((column) => `'${column}', ${column}`)
             .join(', ')}) AS content
    FROM backup_jobs WHERE tenant_id = $1
  ),
  decided AS MATERIALIZED (
    SELECT o.*, k.id AS job_id, coalesce(k.content, '${DEFAULTS}') || o.content AS wanted,
           CASE WHEN o.nth > 1 AND o.given <> o.first_given THEN 'repeated'
                WHEN o.nth > 1 THEN 'unchanged'
                WHEN k.id IS NULL THEN 'created'
                WHEN k.content || o.content <> k.content THEN 'updated'
                ELSE 'unchanged' END AS outcome
    FROM ordered o LEFT JOIN known k USING (agent_id, database_name)
  ),
  faults AS (
    SELECT line, 'database_name' AS field,
           format('line %s has this agent and database too, and says something else', first_line) AS detail
    FROM decided WHERE outcome = 'repeated'
  )`;

/** Staged lines → jobs. Parameters: $1 tenant id, $2 import id, $3 now. */
const APPLY = `
  WITH ${DECIDED},
  created AS (
    INSERT INTO backup_jobs (tenant_id, agent_id, database_name, ${COLUMNS}, expected_after, created_at, updated_at)
    SELECT $1, d.agent_id, d.database_name, ${Object.values(WANTED).join(', ')},
           $3::timestamptz, $3::timestamptz, $3::timestamptz
    FROM decided d WHERE d.outcome = 'created' ORDER BY d.line
    RETURNING id
  ),
  updated AS (
    UPDATE backup_jobs job
    SET (${COLUMNS}) = (SELECT ${Object.values(WANTED).join(', ')}),
        -- Other hours count from now on.
        expected_after = CASE WHEN d.wanted -> 'expected_time' <> to_jsonb(job.expected_time)
                                OR d.wanted -> 'days_of_week' <> to_jsonb(job.days_of_week)
                              THEN $3 ELSE job.expected_after END,
        updated_at = $3
    FROM decided d
    WHERE d.outcome = 'updated' AND job.tenant_id = $1 AND job.id = d.job_id
    RETURNING 1
  ),
  kept AS (${keepFaultsSql('faults')})
  SELECT (SELECT count(*) FROM created) AS created,
         (SELECT count(*) FROM updated) AS updated,
         (SELECT count(*) FROM decided WHERE outcome = 'unchanged') AS unchanged,
         (SELECT count(*) FROM faults) AS rejected,
         '{}'::uuid[] AS moved_ids,
         coalesce((SELECT array_agg(id) FROM created), '{}') AS created_ids`;

/** The job of a row, for people. */
const TITLE = `format('%s / %s', agent_id, database_name)`;

/**
 * Compares staged lines with the jobs, and stores the changes and the faults. A job that is absent from the
 * file is `missing`: it stays unchanged. Parameters: $1 tenant id, $2 import id.
 */
const COMPARE = `
  WITH ${DECIDED},
  kept AS (${keepFaultsSql('faults')}),
  dropped AS (${dropRowsSql('faults')}),
  missing AS (
    SELECT id, ${TITLE} AS title, company_name, city FROM backup_jobs
    WHERE tenant_id = $1 AND (agent_id, database_name) NOT IN (SELECT agent_id, database_name FROM staged)
  ),
  changes AS (
    SELECT 1 AS part, line, outcome, NULL::uuid AS item_id, ${TITLE} AS title, '{}'::jsonb AS before,
           (SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(jsonb_strip_nulls(wanted))) AS after
    FROM decided WHERE outcome = 'created'
    UNION ALL
    SELECT 1, line, outcome, job_id, ${TITLE}, differing.before, differing.after
    FROM decided JOIN known USING (agent_id, database_name)
    CROSS JOIN LATERAL (
      SELECT coalesce(jsonb_object_agg(key, was.value #>> '{}'), '{}') AS before,
             coalesce(jsonb_object_agg(key, becomes.value #>> '{}'), '{}') AS after
      FROM jsonb_each(known.content) was JOIN jsonb_each(decided.wanted) becomes USING (key)
      WHERE was.value <> becomes.value
    ) differing
    WHERE outcome = 'updated'
    UNION ALL
    SELECT 2, NULL, 'missing', id, title, jsonb_build_object('company_name', company_name, 'city', city), '{}'
    FROM missing
  ),
  noted AS (${keepChangesSql('changes', 'part, line, title')})
  SELECT (SELECT count(*) FROM decided WHERE outcome = 'created') AS created,
         (SELECT count(*) FROM decided WHERE outcome = 'updated') AS updated,
         (SELECT count(*) FROM decided WHERE outcome = 'unchanged') AS unchanged,
         (SELECT count(DISTINCT line) FROM faults) AS rejected,
         (SELECT count(*) FROM missing) AS missing`;
