import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Database } from '../platform/database/database.js';
import { notFound, Problem } from '../platform/errors/problem.js';
import { decodeCursor, type Page, pageOf } from '../platform/http/cursor.js';
import type { PageQuery } from '../platform/http/page.dto.js';
import { type CountedPage, countedPage } from '../platform/lists/counted-page.js';
import { ListConditions } from '../platform/lists/list-conditions.js';
import type { SortOrders } from '../platform/lists/sort-orders.js';
import type { ImportChange, ImportChangeQuery, ImportFault, ImportQuery, ImportView } from './imports.dto.js';

/** An import whose process died has failed: its lease has expired, and its staged lines can no longer be applied. */
const DEAD = `(state IN ('receiving', 'comparing', 'applying') AND lease_until < now())`;
const STATE = `CASE WHEN ${DEAD} THEN 'failed' ELSE state END`;

export const VIEW_COLUMNS = `
  id, kind, ${STATE} AS state, format, encoding, content_sha256, bytes_total, bytes, lines, created, updated,
  unchanged, rejected, missing,
  CASE WHEN ${DEAD} THEN 'the server stopped during the import: send the file again' ELSE error END AS error,
  created_by, created_at, finished_at`;

const BY_PLACE: SortOrders = { place: [{ sql: 'c.place', type: 'integer' }] };

/** Shows imports and the faults of their lines. */
@Injectable()
export class ImportList {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(tenantId: string, { limit, cursor, kind, state }: ImportQuery): Promise<Page<ImportView>> {
    // Ids grow with time, so they sort by age.
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<ImportView>(
        `SELECT ${VIEW_COLUMNS} FROM imports
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR kind = $3)
           AND ($4::text IS NULL OR ${STATE} = $4)
         ORDER BY id DESC LIMIT $5`,
        [tenantId, before, kind ?? null, state ?? null, limit + 1],
      ),
    );
    return pageOf(
      rows,
      limit,
      (row) => [row.id],
      (row) => row,
    );
  }

  /** @throws Problem not_found */
  async get(tenantId: string, id: string): Promise<ImportView> {
    const row = await this.database.tenant(tenantId, (tx) =>
      tx.one<ImportView>(`SELECT ${VIEW_COLUMNS} FROM imports WHERE tenant_id = $1 AND id = $2`, [
        tenantId,
        id,
      ]),
    );
    if (row === null) throw notFound();
    return row;
  }

  /**
   * What a dry run found, in the order of the lines; then missing items, soonest first.
   * @throws Problem not_found
   */
  async changes(tenantId: string, id: string, query: ImportChangeQuery): Promise<CountedPage<ImportChange>> {
    await this.get(tenantId, id);
    const conditions = new ListConditions([tenantId, id])
      .add('c.tenant_id = $1 AND c.import_id = $2')
      .equal('c.outcome', query.outcome);
    const columns = 'c.outcome, c.line, c.item_id, c.title, c.before, c.after';
    const list = { columns, from: 'import_changes c', conditions, orders: BY_PLACE };
    return this.database.tenant(tenantId, (tx) => countedPage<ImportChange>(tx, list, query));
  }

  /**
   * Deletes a dry run with its lines.
   * @throws Problem not_found, conflict when it is not staged
   */
  async discard(tenantId: string, id: string): Promise<void> {
    const { state } = await this.get(tenantId, id);
    const deleted = await this.database.tenant(tenantId, (tx) =>
      tx.execute(`DELETE FROM imports WHERE tenant_id = $1 AND id = $2 AND state = 'staged'`, [tenantId, id]),
    );
    if (deleted === 0) throw new Problem('conflict', `the import is ${state}, not staged`);
  }

  /**
   * In the order of the lines.
   * @throws Problem not_found
   */
  async faults(tenantId: string, id: string, { limit, cursor }: PageQuery): Promise<Page<ImportFault>> {
    await this.get(tenantId, id);
    const [line, field] =
      cursor === undefined ? [null, null] : decodeCursor(cursor, [isLineKey, (key) => !key.includes('\0')]);
    const rows = await this.database.tenant(tenantId, (tx) =>
      tx.query<{ line: number; field: string; detail: string }>(
        `SELECT line, field, detail FROM import_faults
         WHERE tenant_id = $1 AND import_id = $2 AND ($3::int IS NULL OR (line, field) > ($3, $4::text))
         ORDER BY line, field LIMIT $5`,
        [tenantId, id, line, field, limit + 1],
      ),
    );
    return pageOf(
      rows,
      limit,
      (row) => [row.line, row.field],
      (row) => ({ ...row, field: row.field === '' ? null : row.field }),
    );
  }
}

function isLineKey(key: string): boolean {
  return /^\d{1,9}$/.test(key);
}
