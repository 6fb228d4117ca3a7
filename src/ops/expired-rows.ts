import type { Config } from '../platform/config/config.js';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

/** Rows that the cleanup deletes without an archive. */
export interface ExpiredRows {
  table: string;
  /** SQL; $1 is the tenant, $2 the instant before which rows have expired. */
  condition: string;
  /** How long they are kept, in ms. */
  after_ms: number;
}

/** Expired technical rows by table. */
export function expiredRows(config: Config): readonly ExpiredRows[] {
  const reports = config.deleteReportsAfterDays;
  return [
    // A response is replayed for 24 h.
    { table: 'idempotency_keys', condition: 'created_at < $2', after_ms: 24 * HOUR_MS },
    { table: 'sessions', condition: 'expires_at < $2', after_ms: 0 },
    // Kept for a while so that a late click gets "used or expired" instead of "unknown".
    { table: 'password_links', condition: 'expires_at < $2', after_ms: 30 * DAY_MS },
    // Rows staged by a killed process; an import that ends normally deletes its own.
    {
      table: 'import_rows',
      condition: `import_id IN (SELECT id FROM imports WHERE tenant_id = $1 AND state <> 'staged' AND lease_until < $2)`,
      after_ms: HOUR_MS,
    },
    // Dry runs that were neither applied nor discarded.
    { table: 'imports', condition: `state = 'staged' AND created_at < $2`, after_ms: DAY_MS },
    { table: 'imports', condition: 'created_at < $2', after_ms: config.deleteImportsAfterDays * DAY_MS },
    // A job with an interval runs a hundred times a day: only its latest successful runs are worth keeping.
    {
      table: 'job_runs',
      condition: `state = 'succeeded' AND slot LIKE '%Z' AND finished_at < $2`,
      after_ms: 3 * DAY_MS,
    },
    { table: 'job_runs', condition: 'finished_at < $2', after_ms: config.deleteRunsAfterDays * DAY_MS },
    { table: 'webhook_attempts', condition: 'at < $2', after_ms: config.deleteAttemptsAfterDays * DAY_MS },
    { table: 'announced_keys', condition: 'until < $2', after_ms: 0 },
    // Accepted ones are kept with their entries.
    ...(reports === 0
      ? []
      : [
          {
            table: 'backup_reports',
            condition: `state = 'rejected' AND received_at < $2`,
            after_ms: reports * DAY_MS,
          },
        ]),
  ];
}
