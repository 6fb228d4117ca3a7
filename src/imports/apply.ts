import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { databaseFailure } from '../platform/database/failures.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { notFound, Problem } from '../platform/errors/problem.js';
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
    private readonly database: Database,
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

  /**
   * Compares staged lines with the items, for a dry run: nothing is applied until `applyStaged`.
   * @returns the staged import; an earlier one when its idempotency key was used before.
   * @throws Problem idempotency_mismatch, tenant_suspended
   */
  async compare(
    caller: { tenant_id: string; principal: string },
    request: CreatingRequest,
    kind: ImportKind,
    ref: ImportRef,
  ): Promise<ImportView> {
    return this.limit(() =>
      this.idempotency.create(caller, request, (tx) => this.recompare(tx, kind, ref, 'comparing')),
    );
  }

  /**
   * Applies a staged import, once: a repetition gets the same answer.
   * @throws Problem not_found, conflict when it is not staged; count_changed when the items have changed since they were
   * compared: it is then compared again, and stays staged.
   */
  async applyStaged(tenantId: string, id: string, kindOf: (name: string) => ImportKind): Promise<ImportView> {
    const ref = { tenant_id: tenantId, id };
    return this.limit(async () => {
      const result = await this.database.tenant(tenantId, async (tx) => {
        const view = await this.lockStaged(tx, id);
        if (view.state === 'done') return view;
        const kind = kindOf(view.kind);
        const shown = await this.fingerprint(tx, id);
        const { created, updated } = await this.recompare(tx, kind, ref, 'staged');
        if (
          (await this.fingerprint(tx, id)) !== shown ||
          created !== view.created ||
          updated !== view.updated
        )
          return null;
        const applied = await this.landed(tx, kind, ref);
        // Somebody has changed an item since the comparison, a moment ago.
        if (applied.created !== created || applied.updated !== updated) throw itemsChanged();
        return this.finish(tx, ref, applied, 'staged');
      });
      if (result !== null) return result;
      throw itemsChanged();
    });
  }

  /** Of the changes that are shown: each line's outcome, its item, and the fields that differ. */
  private async fingerprint(tx: TenantTransaction, id: string): Promise<string | null> {
    const row = await tx.one<{ md5: string | null }>(
      `SELECT md5(string_agg(md5(concat_ws(' ', outcome, line, item_id, title, before, after)), '' ORDER BY place))
       FROM import_changes WHERE tenant_id = $1 AND import_id = $2 AND outcome <> 'missing'`,
      [tx.tenant_id, id],
    );
    return row?.md5 ?? null;
  }

  /** Locks the row of an import that is staged, or done. */
  private async lockStaged(tx: TenantTransaction, id: string): Promise<ImportView> {
    const view = await tx.one<ImportView>(
      `SELECT ${VIEW_COLUMNS} FROM imports WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
      [tx.tenant_id, id],
    );
    if (view === null) throw notFound();
    if (view.state !== 'staged' && view.state !== 'done') {
      throw new Problem('conflict', `the import is ${view.state}, not staged`);
    }
    return view;
  }

  private async recompare(
    tx: TenantTransaction,
    kind: ImportKind,
    ref: ImportRef,
    from: 'comparing' | 'staged',
  ): Promise<ImportView> {
    await this.begin(tx, kind, ref);
    await tx.execute(`DELETE FROM import_changes WHERE tenant_id = $1 AND import_id = $2`, [
      tx.tenant_id,
      ref.id,
    ]);
    const { created, updated, unchanged, rejected, missing } = await kind.compare(tx, ref.id);
    const staged = await tx.one<ImportView>(
      `UPDATE imports SET state = 'staged', created = $3, updated = $4, unchanged = $5, rejected = rejected + $6,
                          missing = $7
       WHERE tenant_id = $1 AND id = $2 AND state = $8 AND (state = 'staged' OR lease_until > clock_timestamp())
       RETURNING ${VIEW_COLUMNS}`,
      [tx.tenant_id, ref.id, created, updated, unchanged, rejected, missing, from],
    );
    if (staged === null) throw alreadyFailed();
    return staged;
  }

  private async land(tx: TenantTransaction, kind: ImportKind, ref: ImportRef): Promise<ImportView> {
    return this.finish(tx, ref, await this.landed(tx, kind, ref), 'applying');
  }

  private async landed(tx: TenantTransaction, kind: ImportKind, ref: ImportRef): Promise<Applied> {
    const today = await this.begin(tx, kind, ref);
    const applied = await kind.land(tx, { import_id: ref.id, today, now: this.clock.now() });
    await this.alerts.sourcesChanged(tx, kind.source_type, applied.moved_ids);
    return applied;
  }

  /** @returns the tenant's civil date. */
  private async begin(tx: TenantTransaction, kind: ImportKind, ref: ImportRef): Promise<string> {
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
    return today;
  }

  private async finish(
    tx: TenantTransaction,
    ref: ImportRef,
    applied: Applied,
    from: 'applying' | 'staged',
  ): Promise<ImportView> {
    await tx.execute(`DELETE FROM import_rows WHERE tenant_id = $1 AND import_id = $2`, [
      tx.tenant_id,
      ref.id,
    ]);
    const done = await tx.one<ImportView>(
      `UPDATE imports SET state = 'done', created = $3, updated = $4, unchanged = $5, rejected = rejected + $6,
                          finished_at = $7
       WHERE tenant_id = $1 AND id = $2 AND state = $8 AND (state = 'staged' OR lease_until > clock_timestamp())
       RETURNING ${VIEW_COLUMNS}`,
      [
        tx.tenant_id,
        ref.id,
        applied.created,
        applied.updated,
        applied.unchanged,
        applied.rejected,
        this.clock.now(),
        from,
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

function itemsChanged(): Problem {
  return new Problem('count_changed', 'the items have changed since the dry run: look at the changes again');
}
