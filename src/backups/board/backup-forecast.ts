import { Injectable } from '@nestjs/common';
import type { BackupVerdict } from '../../contracts/backups.js';
import { dayOfDate, weekdayOf } from '../../platform/clock/civil-time.js';
import { Database } from '../../platform/database/database.js';
import { currentRehearsal } from '../../platform/database/rehearsal.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { BackupForecastView, ForecastBackup } from './backup-forecast.dto.js';
import { expectedOn } from '../jobs/expected-times.js';

const MINUTE_MS = 60_000;
const MAX_ROWS = 1_000;

/** A job with its newest entry of the date, if there is one. */
interface ForecastRow {
  job_id: string;
  agent_id: string;
  database_name: string;
  expected_time: string;
  days_of_week: number[];
  grace_minutes: number;
  expected_after: Date;
  time_zone: string;
  entry_id: string | null;
  entry_expected_at: Date | null;
  wait_until: Date | null;
  verdict: BackupVerdict | null;
}

/** Lists the backups expected on a date, and the alerts for those that do not arrive. It changes nothing. */
@Injectable()
export class BackupForecast {
  constructor(private readonly database: Database) {}

  /** @param date YYYY-MM-DD, of the tenant's calendar: past, today or future. */
  async ofDate(tenantId: string, date: string): Promise<BackupForecastView> {
    // Every zone has left a date two days after it began in UTC: a job decided up to then expects nothing.
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<ForecastRow>(
        `SELECT j.id AS job_id, j.agent_id, j.database_name, j.expected_time, j.days_of_week, j.grace_minutes,
                j.expected_after, t.time_zone, e.id AS entry_id, e.expected_at AS entry_expected_at, e.wait_until,
                e.verdict
         FROM backup_jobs j
         JOIN tenants t ON t.id = j.tenant_id
         LEFT JOIN LATERAL (
           SELECT id, expected_at, wait_until, verdict FROM backup_entries
           WHERE tenant_id = j.tenant_id AND job_id = j.id AND expected_on = $2::date
           ORDER BY effective_at DESC, id DESC LIMIT 1
         ) e ON true
         WHERE j.tenant_id = $1
           AND (e.id IS NOT NULL
                OR ($3 = ANY (j.days_of_week) AND j.expected_after < ($2::date + 2)::timestamp AT TIME ZONE 'UTC'))
         ORDER BY j.agent_id, j.database_name LIMIT $4`,
        [tenantId, date, weekdayOf(dayOfDate(date)), MAX_ROWS + 1],
      ),
    );
    const forecast = rows.slice(0, MAX_ROWS).flatMap((row) => forecastOf(row, date) ?? []);
    return { data: forecast, truncated: rows.length > MAX_ROWS };
  }

  /** Assumes that every backup expected before `instant` has arrived. Only in a rehearsal. */
  async supposeArrived(tx: TenantTransaction, instant: Date): Promise<void> {
    if (currentRehearsal() === undefined) throw new Error('only a rehearsal supposes backups');
    await tx.execute(
      `UPDATE backup_jobs SET expected_after = $2::timestamptz - interval '1 millisecond'
       WHERE tenant_id = $1 AND expected_after < $2::timestamptz - interval '1 millisecond'`,
      [tx.tenant_id, instant],
    );
  }
}

/** Null if the job expects nothing on that date, or did not exist yet. */
function forecastOf(row: ForecastRow, date: string): ForecastBackup | null {
  const expected_at = row.entry_expected_at ?? expectedOn(row, row.time_zone, date)?.expected_at;
  if (expected_at === undefined) return null;
  if (row.entry_id === null && expected_at <= row.expected_after) return null;
  const { job_id, agent_id, database_name, verdict } = row;
  const graceEnd = new Date(expected_at.getTime() + row.grace_minutes * MINUTE_MS);
  const missing_after = verdict === null ? (row.wait_until ?? graceEnd) : graceEnd;
  const would_be = verdict === null ? 'MISSING' : null;
  return { job_id, agent_id, database_name, expected_at, missing_after, verdict, would_be };
}
