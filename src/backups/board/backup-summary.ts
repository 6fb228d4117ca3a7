import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { doubtfulSql } from '../jobs/job-status.sql.js';
import type { BackupSummary } from './backup-summary.dto.js';

const MAX_PROBLEMS = 8;

/** One row, also without jobs. Parameter: $1 tenant id. */
const SUMMARY = `
  WITH jobs AS (
    SELECT id, agent_id, database_name, company_name, status, status_since, last_success_at,
           status = 'SUCCESS' AND (${doubtfulSql('backup_jobs')}) AS doubtful
    FROM backup_jobs WHERE tenant_id = $1
  ),
  problems AS (
    SELECT * FROM jobs WHERE doubtful OR status NOT IN ('SUCCESS', 'unknown')
    ORDER BY last_success_at NULLS FIRST, agent_id, database_name LIMIT ${MAX_PROBLEMS}
  )
  SELECT count(*)::int AS jobs,
         count(*) FILTER (WHERE status = 'SUCCESS' AND NOT doubtful)::int AS good,
         count(*) FILTER (WHERE doubtful OR status NOT IN ('SUCCESS', 'unknown'))::int AS not_good,
         count(*) FILTER (WHERE status = 'unknown')::int AS unknown,
         (SELECT checked_at FROM backup_scans WHERE tenant_id = $1) AS checked_at,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('job_id', id, 'agent_id', agent_id,
                   'database_name', database_name, 'company_name', company_name, 'verdict', status,
                   'doubtful', doubtful, 'since', status_since, 'last_success_at', last_success_at)
                 ORDER BY last_success_at NULLS FIRST, agent_id, database_name), '[]') FROM problems) AS problems
  FROM jobs`;

type Row = Omit<BackupSummary, 'problems'> & {
  problems: (Omit<BackupSummary['problems'][number], 'since' | 'last_success_at'> & {
    since: string | null;
    last_success_at: string | null;
  })[];
};

/** The state of a tenant's expected backups, for the first page of the console. */
@Injectable()
export class BackupSummaries {
  async of(tx: TenantTransaction): Promise<BackupSummary> {
    const row = await tx.one<Row>(SUMMARY, [tx.tenant_id]);
    if (row === null) throw new Error('an aggregate returned no row');
    const dateOf = (text: string | null) => (text === null ? null : new Date(text));
    return {
      ...row,
      problems: row.problems.map((problem) => ({
        ...problem,
        since: dateOf(problem.since),
        last_success_at: dateOf(problem.last_success_at),
      })),
    };
  }
}
