import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { Clock } from '../platform/clock/clock.js';
import { databaseFailure } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { tenantToday } from '../tenants/tenant-today.js';
import type { Applied, ImportKind } from './import-kind.js';
import type { ImportView } from './imports.dto.js';
import { VIEW_COLUMNS } from './import-list.js';
import { type ImportRef, alreadyFailed } from './staging.js';

/** Concurrent imports per process: each takes a pool connection while it is applied. */
const AT_ONCE = 2;
const ATTEMPTS = 3;
/**
 * A concurrent transaction has created an external id, deleted a responsible user, or caused a deadlock: a retry
 * resolves it. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AGAIN = ['23505', '23503', '40P01', '40001'];
/** The longest statement of an import, in ms: a million lines against a million rows. */
const MAX_STATEMENT_MS = 10 * 60 * 1_000;
/** Below this number of lines the planner's choice does not matter. */
const FEW_LINES = 100;

/** Applies staged lines in one transaction: all or none. */
@Injectable()
export class Apply {
  private readonly limit = pLimit(AT_ONCE);

  constructor(
    private readonly idempotency: Idempotency,
    private readonly alerts: Alerts,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @returns the resulting import; an earlier one when its idempotency key was used before.
   * @throws Problem idempotency_mismatch, tenant_suspended
   */
  async run(
    caller: { tenant_id: string; principal: string },
    request: CreatingRequest,
    kind: ImportKind,
    ref: ImportRef,
  ): Promise<ImportView> {
    return this.limit(async () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.idempotency.create(caller, request, (tx) => this.land(tx, kind, ref));
        } catch (error) {
          if (attempt === ATTEMPTS || !AGAIN.includes(databaseFailure(error)?.code ?? '')) throw error;
        }
      }
    });
  }

  private async land(tx: TenantTransaction, kind: ImportKind, ref: ImportRef): Promise<ImportView> {
    const today = await this.today(tx);
    await tx.allowLongStatements(MAX_STATEMENT_MS);
    await tx.query(`SET LOCAL work_mem = '32MB'`);
    await tx.query('SET LOCAL jit = off');
    // Serialise the files of a kind: the same file sent twice at once is applied once.
    await tx.lock(`import:${tx.tenant_id}:${kind.name}`);
    const staged = await tx.one<{ lines: number }>(
      `SELECT count(*) AS lines FROM import_rows WHERE tenant_id = $1 AND import_id = $2`,
      [tx.tenant_id, ref.id],
    );
    // The planner has no statistics for newly staged rows, assumes few, and would loop over all pairs.
    if ((staged?.lines ?? 0) > FEW_LINES) await tx.query('SET LOCAL enable_nestloop = off');
    const applied = await kind.land(tx, { import_id: ref.id, today, now: this.clock.now() });
    await this.alerts.sourcesChanged(tx, kind.source_type, applied.moved_ids);
    return this.finish(tx, ref, applied);
  }

  private async finish(tx: TenantTransaction, ref: ImportRef, applied: Applied): Promise<ImportView> {
    await tx.execute(`DELETE FROM import_rows WHERE tenant_id = $1 AND import_id = $2`, [
      tx.tenant_id,
      ref.id,
    ]);
    const done = await tx.one<ImportView>(
      `UPDATE imports SET state = 'done', created = $3, updated = $4, unchanged = $5, rejected = rejected + $6,
                          finished_at = $7
       WHERE tenant_id = $1 AND id = $2 AND state = 'applying' AND lease_until > clock_timestamp()
       RETURNING ${VIEW_COLUMNS}`,
      [
        tx.tenant_id,
        ref.id,
        applied.created,
        applied.updated,
        applied.unchanged,
        applied.rejected,
        this.clock.now(),
      ],
    );
    if (done === null) throw alreadyFailed();
    return done;
  }

  private async today(tx: TenantTransaction): Promise<string> {
    const { today, suspended } = await tenantToday(tx, this.clock.now());
    if (suspended) throw new Problem('tenant_suspended');
    return today;
  }
}
