import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Database } from '../../platform/database/database.js';
import type { SqlValue } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import type { BackupEntry, BackupEntryQuery, BackupReport, BackupReportQuery } from './backup-records.dto.js';

/** The columns of a `BackupEntry`. */
const ENTRY_COLUMNS = `id, job_id, report_id, agent_id, database_name, company_name, city, neighborhood, verdict,
  reason, detail, warnings, expected_on, expected_at, effective_at, evaluated_at, operation_timestamp_utc, status,
  staged_file_name, hash_sha256, server_hash_sha256, hash_sha256 = server_hash_sha256 AS hashes_match, size_bytes,
  server_size_bytes, size_bytes = server_size_bytes AS sizes_match, compress_size_pre_compress,
  compress_size_post_compress, agent_transfer_process_status, agent_transfer_process_start_time_utc,
  agent_transfer_process_timestamp_utc, agent_transfer_error_message, error_msg, logs_summary, stored_path,
  stored_state, verified_at, created_at`;

const REPORT_COLUMNS = `id, agent_id, source, file_name, state, reason, warnings,
  operation_timestamp_utc, received_at`;

/** The reports, and an entry for each database of a report. */
@Injectable()
export class BackupRecords {
  constructor(private readonly database: Database) {}

  /** Newest first, by the time of the backup. */
  async entries(tenantId: string, query: BackupEntryQuery): Promise<Page<BackupEntry>> {
    const { limit, cursor, expected, since, until } = query;
    const values: SqlValue[] = [tenantId];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    const conditions = [
      'tenant_id = $1',
      ...equal(query, ['job_id', 'agent_id', 'database_name', 'verdict'], take),
    ];
    if (expected !== undefined) conditions.push(`job_id IS ${expected ? 'NOT NULL' : 'NULL'}`);
    if (since !== undefined) conditions.push(`effective_at >= ${take(since)}`);
    if (until !== undefined) conditions.push(`effective_at < ${take(until)}`);
    if (cursor !== undefined) {
      const [at, id] = decodeCursor(cursor, [isInstantKey, (key) => isUUID(key)]);
      conditions.push(`(effective_at, id) < (${take(at)}::timestamptz, ${take(id)}::uuid)`);
    }
    const rows = await this.database.single(tenantId).query<BackupEntry>(
      `SELECT ${ENTRY_COLUMNS} FROM backup_entries WHERE ${conditions.join(' AND ')}
       ORDER BY effective_at DESC, id DESC LIMIT ${take(limit + 1)}`,
      values,
    );
    return pageOf(
      rows,
      limit,
      (entry) => [entry.effective_at.toISOString(), entry.id],
      (entry) => entry,
    );
  }

  /** @throws Problem not_found */
  async entry(tenantId: string, id: string): Promise<BackupEntry> {
    const entry = await this.database
      .single(tenantId)
      .one<BackupEntry>(`SELECT ${ENTRY_COLUMNS} FROM backup_entries WHERE tenant_id = $1 AND id = $2`, [
        tenantId,
        id,
      ]);
    if (entry === null) throw notFound();
    return entry;
  }

  /** Newest first, as they were received. */
  async reports(tenantId: string, query: BackupReportQuery): Promise<Page<BackupReport>> {
    const values: SqlValue[] = [tenantId];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    const conditions = ['tenant_id = $1', ...equal(query, ['agent_id', 'state', 'source'], take)];
    if (query.cursor !== undefined) {
      const [id] = decodeCursor(query.cursor, [(key) => isUUID(key)]);
      conditions.push(`id < ${take(id)}`);
    }
    // Ids grow with time, so their order is the order of receipt.
    const rows = await this.database.single(tenantId).query<BackupReport>(
      `SELECT ${REPORT_COLUMNS} FROM backup_reports WHERE ${conditions.join(' AND ')}
       ORDER BY id DESC LIMIT ${take(query.limit + 1)}`,
      values,
    );
    return pageOf(
      rows,
      query.limit,
      (report) => [report.id],
      (report) => report,
    );
  }
}

/** Conditions for the columns that the query filters by. */
function equal<Column extends string>(
  query: Partial<Record<Column, string>>,
  columns: readonly Column[],
  take: (value: SqlValue) => string,
): string[] {
  return columns
    .filter((column) => query[column] !== undefined)
    .map((column) => `${column} = ${take(query[column])}`);
}
