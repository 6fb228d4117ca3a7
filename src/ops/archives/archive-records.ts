import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { MIGRATION_NAMES } from '../../platform/database/migrate.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { archivePath } from './archive-folder.js';
import type { Manifest } from './archive-reader.js';

/** A row of `archives`. */
export interface ArchiveRecord {
  id: string;
  thing: string;
  path: string;
  state: 'open' | 'sealed';
  bytes: number;
  counts: Record<string, number>;
  first_at: Date | null;
  last_at: Date | null;
  sha256: string | null;
  schema_version: string;
  created_at: Date;
  sealed_at: Date | null;
  restored_at: Date | null;
  held_until: Date | null;
}

/** What one chunk adds to its archive. */
export interface ArchivedChunk {
  bytes: number;
  counts: Record<string, number>;
  first_at: Date;
  last_at: Date;
  first_id: string;
  last_id: string;
}

const COLUMNS = `id, thing, path, state, bytes, counts, first_at, last_at, sha256, schema_version, created_at,
  sealed_at, restored_at, held_until`;

/** The schema of this version: the newest migration. */
export const SCHEMA_VERSION = MIGRATION_NAMES.at(-1) ?? '';

/** The table `archives`: PostgreSQL decides how much of a file counts. */
@Injectable()
export class ArchiveRecords {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async create(tenantId: string, thing: string): Promise<ArchiveRecord> {
    const now = this.clock.now();
    const created = await this.database.single(tenantId).one<ArchiveRecord>(
      `WITH made AS (SELECT new_id() AS id)
       INSERT INTO archives (tenant_id, id, thing, path, schema_version, created_at)
       SELECT $1, id, $2, replace($3, 'ID', id::text), $4, $5 FROM made RETURNING ${COLUMNS}`,
      [tenantId, thing, archivePath(thing, 'ID', now), SCHEMA_VERSION, now],
    );
    if (created === null) throw new Error('INSERT returned no row');
    return created;
  }

  /** The archives of a tenant, oldest first. */
  async list(tenantId: string, state: ArchiveRecord['state'] | null = null): Promise<ArchiveRecord[]> {
    return this.database.single(tenantId).query<ArchiveRecord>(
      `SELECT ${COLUMNS} FROM archives WHERE tenant_id = $1 AND ($2::text IS NULL OR state = $2)
         ORDER BY created_at, id`,
      [tenantId, state],
    );
  }

  /** Locks the record until the transaction ends: one process at a time writes its file. Null if it is gone. */
  async lock(tx: TenantTransaction, id: string): Promise<ArchiveRecord | null> {
    return tx.one<ArchiveRecord>(
      `SELECT ${COLUMNS} FROM archives WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
      [tx.tenant_id, id],
    );
  }

  /** Lets what the file has gained count. */
  async add(tx: TenantTransaction, id: string, chunk: ArchivedChunk): Promise<void> {
    await tx.execute(
      `UPDATE archives a
       SET bytes = $3, first_at = least(first_at, $5), last_at = greatest(last_at, $6),
           first_id = least(first_id, $7), last_id = greatest(last_id, $8),
           counts = (SELECT coalesce(jsonb_object_agg(key, n), '{}') FROM (
             SELECT key, sum(value::bigint) AS n
             FROM (SELECT * FROM jsonb_each_text(a.counts) UNION ALL SELECT * FROM jsonb_each_text($4::jsonb)) added
             GROUP BY key) summed)
       WHERE tenant_id = $1 AND id = $2`,
      [
        tx.tenant_id,
        id,
        chunk.bytes,
        JSON.stringify(chunk.counts),
        chunk.first_at,
        chunk.last_at,
        chunk.first_id,
        chunk.last_id,
      ],
    );
  }

  async seal(tx: TenantTransaction, id: string, sha256: string, at: Date): Promise<void> {
    await tx.execute(
      `UPDATE archives SET state = 'sealed', sha256 = $3, sealed_at = $4 WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, sha256, at],
    );
  }

  /** Lets another file take the place of a sealed one. */
  async replace(
    tx: TenantTransaction,
    id: string,
    next: Pick<ArchiveRecord, 'path' | 'bytes' | 'counts'> & { sha256: string; sealed_at: Date },
  ): Promise<void> {
    await tx.execute(
      `UPDATE archives SET path = $3, bytes = $4, counts = $5, sha256 = $6, sealed_at = $7
       WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, next.path, next.bytes, JSON.stringify(next.counts), next.sha256, next.sealed_at],
    );
  }

  async remove(tx: TenantTransaction, id: string): Promise<void> {
    await tx.execute(`DELETE FROM archives WHERE tenant_id = $1 AND id = $2`, [tx.tenant_id, id]);
  }

  /** Records a sealed file that PostgreSQL does not know. @param ids the range of its ids */
  async adopt(
    tenantId: string,
    path: string,
    manifest: Manifest,
    ids: { first: string; last: string },
  ): Promise<{ id: string }> {
    const adopted = await this.database.single(tenantId).one<{ id: string }>(
      `INSERT INTO archives (tenant_id, thing, path, state, bytes, counts, first_at, last_at, first_id, last_id, sha256,
                             schema_version, created_at, sealed_at)
       VALUES ($1, $2, $3, 'sealed', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
      [
        tenantId,
        manifest.thing,
        path,
        manifest.bytes,
        JSON.stringify(manifest.counts),
        manifest.first_at,
        manifest.last_at,
        ids.first,
        ids.last,
        manifest.sha256,
        manifest.schema_version,
        manifest.created_at,
        manifest.sealed_at,
      ],
    );
    if (adopted === null) throw new Error('INSERT returned no row');
    return adopted;
  }

  /** The cleanup leaves the rows of this archive alone until then. */
  async hold(tx: TenantTransaction, id: string, until: Date): Promise<void> {
    await tx.execute(
      `UPDATE archives SET restored_at = $3, held_until = $4 WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, this.clock.now(), until],
    );
  }
}
