import { Inject, Injectable } from '@nestjs/common';
import type { AlertState } from '../../notifications/alerts/alerts.dto.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { decodeCursor, isTextKey, pageOf } from '../../platform/http/cursor.js';
import type { BackupJobStatus } from '../jobs/backup-jobs.dto.js';
import { nextExpected } from '../jobs/expected-times.js';
import type { BackupBars, BackupBarsQuery } from './backup-bars.dto.js';
import { BARS } from './backup-board.sql.js';

const PAGE_ROWS = 2_000;

interface BarRow {
  job_id: string | null;
  agent_id: string;
  database_name: string;
  company_name: string;
  city: string;
  verdict: BackupJobStatus;
  last_success_at: Date | null;
  /** Null for an unexpected database. */
  expected_time: string | null;
  days_of_week: number[] | null;
  time_zone: string;
  newest_size: number | null;
  /** Null: none. */
  good_sizes: number[] | null;
  alert_state: AlertState | null;
  acknowledged_by: string | null;
  results: string;
}

/**
 * The board by columns, with one letter per result: as JSON objects, 2,000 jobs with 30 results each would be over 10 MB.
 */
@Injectable()
export class BackupBarsReader {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** A page, by agent, then database. */
  async read(tenantId: string, query: BackupBarsQuery): Promise<BackupBars> {
    const { cursor, agent_id, city, q, status } = query;
    const now = this.clock.now();
    const [agent, database] =
      cursor === undefined ? [null, null] : decodeCursor(cursor, [isTextKey, isTextKey]);
    const found = await this.database
      .single(tenantId)
      .query<BarRow>(BARS, [
        ...[tenantId, now, agent_id, city, q, status],
        ...[agent, database, PAGE_ROWS + 1, null, null],
      ]);
    const { data: rows, next_cursor } = pageOf(
      found,
      PAGE_ROWS,
      (row) => [row.agent_id, row.database_name],
      (row) => row,
    );
    const next = nextTimes(now);
    return {
      as_of: now.toISOString(),
      rows: rows.length,
      columns: {
        job_id: rows.map((row) => row.job_id),
        agent_id: rows.map((row) => row.agent_id),
        database_name: rows.map((row) => row.database_name),
        company_name: rows.map((row) => row.company_name),
        city: rows.map((row) => row.city),
        verdict: rows.map((row) => row.verdict),
        last_success_at: rows.map((row) => row.last_success_at?.toISOString() ?? null),
        next_expected_at: rows.map(next),
        size_percent: rows.map(({ newest_size, good_sizes }) =>
          percentOfMedian(newest_size, good_sizes ?? []),
        ),
        alert_state: rows.map((row) => row.alert_state),
        acknowledged_by: rows.map((row) => (row.alert_state === 'acknowledged' ? row.acknowledged_by : null)),
        results: rows.map((row) => row.results),
      },
      next_cursor,
    };
  }
}

/**
 * The next expected time of a row. Most jobs of a tenant share theirs, and computing it 2,000 times is slow.
 */
function nextTimes(now: Date): (row: BarRow) => string | null {
  const known = new Map<string, string | null>();
  return ({ expected_time, days_of_week, time_zone }) => {
    if (expected_time === null || days_of_week === null) return null;
    const key = `${expected_time} ${days_of_week.join()}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const next = nextExpected({ expected_time, days_of_week }, time_zone, now);
    const written = next?.expected_at.toISOString() ?? null;
    known.set(key, written);
    return written;
  };
}

/** A size in percent of the median of others; null: not comparable. */
function percentOfMedian(size: number | null, others: readonly number[]): number | null {
  const sorted = others.toSorted((one, other) => one - other);
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (size === null || lower === undefined || upper === undefined || upper === 0) return null;
  return Math.round((100 * size) / ((lower + upper) / 2));
}
