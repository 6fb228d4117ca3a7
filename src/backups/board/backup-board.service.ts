import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { decodeCursor, isTextKey, pageOf } from '../../platform/http/cursor.js';
import type {
  BackupBoard,
  BackupBoardRow,
  BackupCounts,
  BackupIncident,
  BackupResult,
} from './backup-board.dto.js';
import { BOARD } from './backup-board.sql.js';
import { type BackupStatusQuery, type BackupJobStatus } from '../jobs/backup-jobs.dto.js';
import { nextExpected } from '../jobs/expected-times.js';

/** Its instants are text because they come from JSON. */
type Written<Row> = {
  [Field in keyof Row]: Date extends Row[Field] ? string | Exclude<Row[Field], Date> : Row[Field];
};

type SeenRow = Omit<
  BackupBoardRow,
  'expected' | 'last_success_age_seconds' | 'next_expected_at' | 'incidents' | 'results'
> & {
  /** Null for an unexpected database. */
  expected_time: string | null;
  days_of_week: number[] | null;
  incidents: Written<BackupIncident>[] | null;
  results: Written<BackupResult>[] | null;
};

/** A row of the statement: its columns are null if the page is empty. */
type Seen = { counts: Partial<BackupCounts>; time_zone: string; ignored_folders: string[] } & (
  SeenRow | { agent_id: null }
);

/** The board: the state of all backups of a tenant. */
@Injectable()
export class BackupBoards {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** A page, by agent, then database. */
  async read(tenantId: string, query: BackupStatusQuery): Promise<BackupBoard> {
    const { limit, cursor, agent_id, city, q, status, job_id, database_name } = query;
    const now = this.clock.now();
    const [agent, database] =
      cursor === undefined ? [null, null] : decodeCursor(cursor, [isTextKey, isTextKey]);
    const seen = await this.database
      .single(tenantId)
      .query<Seen>(BOARD, [
        tenantId,
        now,
        agent_id,
        city,
        q,
        status,
        agent,
        database,
        limit + 1,
        job_id,
        database_name,
      ]);
    const rows = seen.filter((row): row is Seen & SeenRow => row.agent_id !== null);
    return {
      ...pageOf(
        rows,
        limit,
        (row) => [row.agent_id, row.database_name],
        (row) => rowOf(row, now),
      ),
      counts: { ...NOTHING, ...seen[0]?.counts },
      ignored_folders: seen[0]?.ignored_folders ?? [],
    };
  }
}

const NOTHING: BackupCounts = {
  unknown: 0,
  SUCCESS: 0,
  FAILED: 0,
  TRANSFER_INTEGRITY_FAILED: 0,
  HASH_MISMATCH: 0,
  MISSING: 0,
} satisfies Record<BackupJobStatus, number>;

function rowOf(row: Seen & SeenRow, now: Date): BackupBoardRow {
  const { last_success_at, expected_time, days_of_week } = row;
  const hours = expected_time === null || days_of_week === null ? null : { expected_time, days_of_week };
  return {
    job_id: row.job_id,
    expected: row.job_id !== null,
    agent_id: row.agent_id,
    database_name: row.database_name,
    company_name: row.company_name,
    city: row.city,
    neighborhood: row.neighborhood,
    verdict: row.verdict,
    warnings: row.warnings,
    since: row.since,
    waiting: row.waiting,
    last_success_at,
    last_success_age_seconds: last_success_at && secondsBetween(last_success_at, now),
    last_failure_at: row.last_failure_at,
    last_checked_at: row.last_checked_at,
    next_expected_at: hours && (nextExpected(hours, row.time_zone, now)?.expected_at ?? null),
    incidents: (row.incidents ?? []).map((incident) => ({
      ...incident,
      first_seen_at: new Date(incident.first_seen_at),
    })),
    results: (row.results ?? []).map((result) => ({
      ...result,
      expected_at: instantOf(result.expected_at),
      effective_at: new Date(result.effective_at),
      evaluated_at: instantOf(result.evaluated_at),
    })),
  };
}

function secondsBetween(from: Date, to: Date): number {
  // An agent's clock may be ahead of ours.
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / 1_000));
}

function instantOf(written: string | null): Date | null {
  return written === null ? null : new Date(written);
}
