import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../contracts/jobs.js';
import { Sessions } from '../auth/sessions/sessions.js';
import { InboxRetention } from '../backups/files/inbox-retention.js';
import { DeviceRekeying } from '../delivery/channels/push/device-rekeying.js';
import { EndpointRekeying } from '../delivery/channels/webhook/endpoints/endpoint-rekeying.js';
import { EventMatches } from '../delivery/provider-events/event-matches.js';
import { AuditLog } from '../platform/audit/audit-log.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Database } from '../platform/database/database.js';
import { type RehearsedRun, type Run, RunHandlers } from '../runs/run-handlers.js';
import { Archiving } from './archives/archiving.js';
import { expiredRows } from './expired-rows.js';

/** Rows deleted per transaction: this keeps locks short. */
const BATCH = 1_000;

/** A preview counts up to this many rows of a table. */
const MAX_COUNTED = 100_000;

/** The job `cleanup`: archives and deletes old notifications of the tenant, and deletes expired technical rows. */
@Injectable()
export class Cleanup implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly sessions: Sessions,
    private readonly webhooks: EndpointRekeying,
    private readonly devices: DeviceRekeying,
    private readonly providerEvents: EventMatches,
    private readonly inbox: InboxRetention,
    private readonly archiving: Archiving,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.runs.register(
      'cleanup',
      (run) => this.clean(run),
      (run) => this.count(run),
    );
  }

  /** How many rows of each table it would delete, counted up to a limit: deleting them would lock them. */
  private async count(run: Run): Promise<RehearsedRun> {
    const counts: RunCounts = {};
    if (!this.config.cleanupEnabled) return { counts };
    for (const { table, condition, after_ms } of expiredRows(this.config)) {
      const before = new Date(this.clock.now().getTime() - after_ms);
      const row = await this.database.single(run.tenant_id).one<{ count: number }>(
        `SELECT count(*) AS count FROM (
             SELECT FROM ${table} WHERE tenant_id = $1 AND ${condition} LIMIT ${MAX_COUNTED}) expired`,
        [run.tenant_id, before],
      );
      counts[table] = (counts[table] ?? 0) + (row?.count ?? 0);
    }
    return { counts: { ...counts, ...(await this.archiving.count(run.tenant_id)) } };
  }

  private async clean(run: Run): Promise<RunCounts> {
    const counts: RunCounts = {};
    if (!this.config.cleanupEnabled) return counts;
    for (const { table, condition, after_ms } of expiredRows(this.config)) {
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
        run.progress(counts);
      } while (deleted === BATCH);
    }
    counts.webhook_secrets_renewed = await this.webhooks.run(run.tenant_id);
    counts.device_tokens_renewed = await this.devices.run(run.tenant_id, run.signal);
    counts.audit_log = await this.audit.clean(run.tenant_id, run.signal);
    // The installation's own log has no tenant: the first tenant's cleanup deletes it.
    await this.audit.clean(null, run.signal);
    await this.sessions.cleanOperators();
    await this.providerEvents.clean();
    // Both run last, even if the other one fails: a folder or an archive may be unavailable.
    const done = await Promise.allSettled([
      this.inbox.clean(run.tenant_id, run.signal),
      this.archiving.run(run),
    ]);
    const faults = done.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (faults.length > 1) throw new AggregateError(faults, faults.map(messageOf).join('; '));
    if (faults.length > 0) throw faults[0];
    return done.reduce<RunCounts>(
      (all, one) => ({ ...all, ...(one.status === 'fulfilled' ? one.value : {}) }),
      counts,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
