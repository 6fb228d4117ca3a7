import { type FileHandle, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { writeFileAtomic } from '../../platform/embedded/write-file-atomic.js';
import { type TenantEntry, TenantDirectory } from '../../tenants/tenant-directory.js';
import { archiveRoot, makeArchiveFolder, MANIFEST, openFile, PART, syncFolder } from './archive-folder.js';
import { ArchiveWriteError } from './archive-file.js';
import { type Manifest, readArchive } from './archive-reader.js';
import { type ArchiveRecord, ArchiveRecords } from './archive-records.js';

/** Ends archives: cuts off what does not count, verifies the rest, writes the manifest, gives the file its name. */
@Injectable()
export class Sealing {
  constructor(
    private readonly database: Database,
    private readonly tenants: TenantDirectory,
    private readonly records: ArchiveRecords,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Seals every open archive of the tenant, such as that of a killed process. Repeatable: each step finds what an
   * earlier attempt has done.
   * @throws ArchiveWriteError if a file is missing or does not hold what PostgreSQL counts
   */
  async sealOpen(tenantId: string): Promise<void> {
    for (const { id } of await this.records.list(tenantId, 'open')) await this.seal(tenantId, id);
  }

  async seal(tenantId: string, id: string): Promise<void> {
    const tenant = await this.tenants.byId(tenantId);
    if (tenant === null) return;
    await this.database.tenant(tenantId, async (tx) => {
      const record = await this.records.lock(tx, id);
      if (record?.state === 'open') await this.sealLocked(tx, tenant, record);
    });
  }

  private async sealLocked(tx: TenantTransaction, tenant: TenantEntry, record: ArchiveRecord): Promise<void> {
    const path = await this.pathOf(tenant.slug, record.path);
    if (record.bytes === 0) {
      await rm(`${path}${PART}`, { force: true });
      await this.records.remove(tx, record.id);
      return;
    }
    const { file, renamed } = await openEither(path);
    try {
      const { size } = await file.stat();
      if (size > record.bytes) await file.truncate(record.bytes);
      const contents = await readArchive(file, { bytes: record.bytes, tenantId: tenant.id });
      if (!isDeepStrictEqual(contents.counts, record.counts)) {
        throw new ArchiveWriteError(`the archive ${record.path} does not have the rows that were deleted`);
      }
      await file.sync();
      const sealed_at = this.clock.now();
      const manifest = manifestOf(tenant, { ...record, sha256: contents.sha256, sealed_at });
      await writeFileAtomic(`${path}${MANIFEST}`, `${JSON.stringify(manifest, null, 2)}\n`, 0o600);
      if (!renamed) await rename(`${path}${PART}`, path);
      await syncFolder(dirname(path));
      await this.records.seal(tx, record.id, contents.sha256, sealed_at);
    } finally {
      await file.close();
    }
  }

  /** The absolute path of an archive, in a folder that exists. */
  async pathOf(slug: string, path: string): Promise<string> {
    const folder = await makeArchiveFolder(archiveRoot(this.config), [slug, dirname(path)]);
    return join(folder, basename(path));
  }
}

/** The file of an open archive: under its final name if a killed process got that far. */
async function openEither(path: string): Promise<{ file: FileHandle; renamed: boolean }> {
  for (const renamed of [false, true]) {
    try {
      return { file: await openFile(renamed ? path : `${path}${PART}`, true), renamed };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new ArchiveWriteError(
    `the archive ${path}${PART} is missing: is VIGIE_DATA_DIR the same folder for all workers?`,
  );
}

/** What a manifest says of a sealed archive. */
export type SealedRecord = Pick<
  ArchiveRecord,
  'thing' | 'path' | 'bytes' | 'counts' | 'first_at' | 'last_at' | 'schema_version' | 'created_at'
> & { sha256: string; sealed_at: Date };

export function manifestOf(tenant: TenantEntry, record: SealedRecord): Manifest {
  return {
    format: 1,
    tenant_id: tenant.id,
    tenant: tenant.slug,
    thing: record.thing,
    file: basename(record.path),
    bytes: record.bytes,
    sha256: record.sha256,
    counts: record.counts,
    first_at: record.first_at?.toISOString() ?? null,
    last_at: record.last_at?.toISOString() ?? null,
    schema_version: record.schema_version,
    created_at: record.created_at.toISOString(),
    sealed_at: record.sealed_at.toISOString(),
  };
}
