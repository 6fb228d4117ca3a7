import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Upload } from '../platform/http/uploads/uploads.js';
import type { ImportKindName } from './import-kind.js';

/** An import whose process has sent no heartbeat for this long is dead. */
export const LEASE_SECONDS = 30;
/** Concurrent files of a tenant. */
const AT_ONCE = 4;
/** Stored faults per import; all are counted. */
export const FAULTS_KEPT = 10_000;

/** Stored changes per dry run; all are counted. */
const CHANGES_KEPT = 10_000;

/** States of an import whose process renews its lease. */
export const RUNNING = `'receiving', 'comparing', 'applying'`;

/** An import and its tenant. */
export interface ImportRef {
  tenant_id: string;
  id: string;
}

/** The progress of an upload. */
export interface Progress {
  bytes: number;
  lines: number;
  rejected: number;
  encoding: string;
}

/** Lines to store, as JSON. */
export interface Lines {
  /** A list of `{line, fields}`. */
  rows: string;
  /** A list of `{line, field, detail}`; `field` is null for the line as a whole. */
  faults: string;
}

/**
 * An import up to the point where it is applied. Each step is a short transaction, so a slow upload holds none open.
 * Leases use the database's clock, which all processes share.
 */
@Injectable()
export class Staging {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem too_many_attempts when the tenant is already sending the maximum number of files. */
  async begin(
    caller: { tenant_id: string; principal: string },
    kind: ImportKindName,
    upload: Upload,
  ): Promise<ImportRef> {
    return this.database.tenant(caller.tenant_id, async (tx) => {
      // Serialise the counting of imports that start at the same time.
      await tx.lock(`imports-begin:${caller.tenant_id}`);
      const begun = await tx.one<{ id: string }>(
        `INSERT INTO imports (tenant_id, kind, format, bytes_total, lease_until, created_by, created_at)
         SELECT $1, $2, $3, $4::bigint, now() + make_interval(secs => $5), $6, $7::timestamptz
         WHERE (SELECT count(*) FROM imports
                WHERE tenant_id = $1 AND state IN (${RUNNING}) AND lease_until > now()) < ${AT_ONCE}
         RETURNING id`,
        [
          tx.tenant_id,
          kind,
          upload.format,
          upload.bytes_total,
          LEASE_SECONDS,
          caller.principal,
          this.clock.now(),
        ],
      );
      if (begun !== null) return { tenant_id: tx.tenant_id, id: begun.id };
      throw new Problem('too_many_attempts', `${AT_ONCE} imports are running: wait until one ends`, {
        headers: { 'retry-after': '5' },
      });
    });
  }

  /** Stores lines, and records the progress of the upload. */
  async store(ref: ImportRef, { rows, faults }: Lines, progress: Progress): Promise<void> {
    await this.database.tenant(ref.tenant_id, async (tx) => {
      await this.renew(tx, ref, progress);
      await tx.execute(
        `INSERT INTO import_rows (tenant_id, import_id, line, fields)
         SELECT $1, $2, (row ->> 'line')::int, row -> 'fields' FROM jsonb_array_elements($3::jsonb) row`,
        [tx.tenant_id, ref.id, rows],
      );
      if (faults === '[]') return;
      await tx.execute(
        `INSERT INTO import_faults (tenant_id, import_id, line, field, detail)
         SELECT $1, $2, f.line, coalesce(f.field, ''), f.detail
         FROM jsonb_to_recordset($3::jsonb) AS f (line int, field text, detail text)
         LIMIT ${roomFor('$1', '$2')}`,
        [tx.tenant_id, ref.id, faults],
      );
    });
  }

  /**
   * Records that the process is alive, and the progress of the upload. It runs beside `store`, on another connection:
   * PostgreSQL may run the newer of the two first.
   */
  async heartbeat(ref: ImportRef, progress: Progress): Promise<void> {
    await this.database.tenant(ref.tenant_id, (tx) => this.renew(tx, ref, progress));
  }

  /** The whole file has arrived: it is compared with the items (a dry run), or applied. */
  async received(ref: ImportRef, sha256: string, next: 'comparing' | 'applying'): Promise<void> {
    const held = await this.database.tenant(ref.tenant_id, (tx) =>
      tx.execute(
        `UPDATE imports SET state = $4, content_sha256 = $3
         WHERE tenant_id = $1 AND id = $2 AND state = 'receiving' AND lease_until > now()`,
        [tx.tenant_id, ref.id, sha256, next],
      ),
    );
    if (held === 0) throw alreadyFailed();
  }

  /** Nothing of it has been or will be applied. The faults of its lines stay readable. */
  async fail(ref: ImportRef, error: string, progress: Progress): Promise<void> {
    await this.database.tenant(ref.tenant_id, async (tx) => {
      await tx.execute(`DELETE FROM import_rows WHERE tenant_id = $1 AND import_id = $2`, [
        tx.tenant_id,
        ref.id,
      ]);
      await tx.execute(
        `UPDATE imports SET state = 'failed', error = $3, finished_at = $4, bytes = $5, lines = $6, rejected = $7,
                            encoding = $8
         WHERE tenant_id = $1 AND id = $2 AND state IN (${RUNNING})`,
        [
          tx.tenant_id,
          ref.id,
          error,
          this.clock.now(),
          progress.bytes,
          progress.lines,
          progress.rejected,
          progress.encoding,
        ],
      );
    });
  }

  /** Deletes an import that turned out to be a repetition. */
  async forget(ref: ImportRef): Promise<void> {
    await this.database.tenant(ref.tenant_id, (tx) =>
      tx.execute(`DELETE FROM imports WHERE tenant_id = $1 AND id = $2`, [tx.tenant_id, ref.id]),
    );
  }

  /** Progress never goes back: the counts of a finished import have to add up. */
  private async renew(tx: TenantTransaction, ref: ImportRef, progress: Progress): Promise<void> {
    const held = await tx.execute(
      `UPDATE imports SET bytes = greatest(bytes, $3), lines = greatest(lines, $4), rejected = greatest(rejected, $5),
                          encoding = CASE WHEN bytes > $3 THEN encoding ELSE $6 END,
                          lease_until = now() + make_interval(secs => $7)
       WHERE tenant_id = $1 AND id = $2 AND state IN (${RUNNING}) AND lease_until > now()`,
      [
        tx.tenant_id,
        ref.id,
        progress.bytes,
        progress.lines,
        progress.rejected,
        progress.encoding,
        LEASE_SECONDS,
      ],
    );
    if (held === 0) throw alreadyFailed();
  }
}

/**
 * Stores the faults (line, field, detail) of a table, as an SQL statement for a CTE. Parameters: $1 tenant id, $2
 * import id.
 */
export function keepFaultsSql(faults: string): string {
  return `
      INSERT INTO import_faults (tenant_id, import_id, line, field, detail)
      SELECT $1, $2, line, field, detail FROM ${faults} ORDER BY line LIMIT ${roomFor('$1', '$2')}`;
}

/** Deletes the staged lines of a table, as an SQL statement for a CTE. Parameters: $1 tenant id, $2 import id. */
export function dropRowsSql(lines: string): string {
  return `
      DELETE FROM import_rows r USING (SELECT DISTINCT line FROM ${lines}) dropped
      WHERE r.tenant_id = $1 AND r.import_id = $2 AND r.line = dropped.line`;
}

/**
 * Stores the changes (outcome, line, item_id, title, before, after) of a table, as an SQL statement for a CTE.
 * Parameters: $1 tenant id, $2 import id.
 * @param order for ORDER BY
 */
export function keepChangesSql(changes: string, order: string): string {
  return `
      INSERT INTO import_changes (tenant_id, import_id, place, outcome, line, item_id, title, before, after)
      SELECT $1, $2, row_number() OVER (ORDER BY ${order}), outcome, line, item_id, title, before, after
      FROM ${changes} ORDER BY ${order} LIMIT ${CHANGES_KEPT}`;
}

/** How many more faults of an import are stored, as an SQL expression. */
function roomFor(tenantId: string, importId: string): string {
  return `greatest(0, ${FAULTS_KEPT} - (SELECT count(*) FROM import_faults
                                        WHERE tenant_id = ${tenantId} AND import_id = ${importId}))`;
}

/** Other requests were already answered that it failed: that must stay true. */
export function alreadyFailed(): Problem {
  return new Problem('unavailable', 'the import stalled for too long: send the file again');
}
