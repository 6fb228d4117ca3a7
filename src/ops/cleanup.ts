import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../contracts/jobs.js';
import { Sessions } from '../auth/sessions/sessions.js';
import { AuditLog } from '../platform/audit/audit-log.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Database } from '../platform/database/database.js';
import { type Run, RunHandlers } from '../runs/run-handlers.js';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
/** Rows deleted per transaction: this keeps locks short. */
const BATCH = 1_000;

/** Expired rows by table: $2 is the instant before which they are deleted. */
const USELESS = [
  // A response is replayed for 24 h.
  { table: 'idempotency_keys', condition: 'created_at < $2', after_ms: 24 * HOUR_MS },
  { table: 'sessions', condition: 'expires_at < $2', after_ms: 0 },
  // Kept for a while so that a late click gets "used or expired" instead of "unknown".
  { table: 'password_links', condition: 'expires_at < $2', after_ms: 30 * DAY_MS },
  // Rows staged by a killed process; an import that ends normally deletes its own.
  {
    table: 'import_rows',
    condition: 'import_id IN (SELECT id FROM imports WHERE tenant_id = $1 AND lease_until < $2)',
    after_ms: HOUR_MS,
  },
  { table: 'imports', condition: 'created_at < $2', after_ms: 30 * DAY_MS },
  // A job with an interval runs a hundred times a day: only its latest successful runs are worth keeping.
  {
    table: 'job_runs',
    condition: `state = 'succeeded' AND slot LIKE '%Z' AND finished_at < $2`,
    after_ms: 3 * DAY_MS,
  },
  { table: 'job_runs', condition: 'finished_at < $2', after_ms: 90 * DAY_MS },
  // Accepted ones are kept with their entries.
  {
    table: 'backup_reports',
    condition: `state = 'rejected' AND received_at < $2`,
    after_ms: 90 * DAY_MS,
  },
] as const;

/** The job `cleanup`: deletes expired technical rows of the tenant. Never deletes notifications. */
@Injectable()
export class Cleanup implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly sessions: Sessions,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.runs.register('cleanup', (run) => this.clean(run));
  }

  private async clean(run: Run): Promise<RunCounts> {
    const counts: RunCounts = {};
    if (!this.config.cleanupEnabled) return counts;
    for (const { table, condition, after_ms } of USELESS) {
      const before = new Date(this.clock.now().getTime() - after_ms);
      let deleted: number;
      do {
        run.signal.throwIfAborted();
        deleted = await this.database.tenant(run.tenant_id, (tx) =>
          tx.execute(
            `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM ${table} WHERE tenant_id = $1 AND ${condition} LIMIT ${BATCH}))`,
            [tx.tenant_id, before],
          ),
        );
        counts[table] = (counts[table] ?? 0) + deleted;
      } while (deleted === BATCH);
    }
    counts.audit_log = await this.audit.clean(run.tenant_id, run.signal);
    // The installation's own log has no tenant: the first tenant's cleanup deletes it.
    await this.audit.clean(null, run.signal);
    await this.sessions.cleanOperators();
    return counts;
  }
}
