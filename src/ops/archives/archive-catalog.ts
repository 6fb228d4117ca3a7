import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { TenantEntry } from '../../tenants/tenant-directory.js';
import { archiveRoot, MANIFEST, openFile, PART } from './archive-folder.js';
import {
  ArchiveDamaged,
  type ArchivedRow,
  type Contents,
  type Manifest,
  readArchive,
} from './archive-reader.js';
import { type ArchiveRecord, ArchiveRecords } from './archive-records.js';

/** An archive of a tenant, as PostgreSQL and its manifest know it. */
export interface CataloguedArchive {
  tenant: TenantEntry;
  /** Below the tenant's folder. */
  path: string;
  /** Null: PostgreSQL does not know it, such as after its restoration from an older backup. */
  record: ArchiveRecord | null;
  /** Null: there is none, or it cannot be read. An open archive has none yet. */
  manifest: Manifest | null;
}

/** What an archive must hold. */
export interface Expected {
  thing: string;
  state: ArchiveRecord['state'];
  bytes: number;
  sha256: string | null;
  counts: Record<string, number>;
}

const FILE = /^(\d{4}-\d{2})\/[a-z_]+-[0-9TZ]+-[0-9a-f-]{36}\.ndjson\.gz$/;

/** Finds the archives of a tenant, and reads them. */
@Injectable()
export class ArchiveCatalog {
  constructor(
    private readonly records: ArchiveRecords,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Those that PostgreSQL knows, and files with a manifest that it does not; oldest first. */
  async list(tenant: TenantEntry): Promise<CataloguedArchive[]> {
    const records = new Map((await this.records.list(tenant.id)).map((record) => [record.path, record]));
    const files = await this.files(tenant.slug);
    const paths = [...new Set([...records.keys(), ...files])].sort();
    return Promise.all(
      paths.map(async (path) => ({
        tenant,
        path,
        record: records.get(path) ?? null,
        manifest: await this.manifest(this.absolute(tenant.slug, path)),
      })),
    );
  }

  /**
   * The archive of this id, path below the tenant's folder, or file name.
   * @throws Error for people if the tenant has none
   */
  async find(tenant: TenantEntry, name: string): Promise<CataloguedArchive> {
    const all = await this.list(tenant);
    const found = all.find(
      ({ path, record }) => path === name || record?.id === name || path.split('/')[1] === name,
    );
    if (found === undefined) throw new Error(`the tenant ${tenant.slug} has no archive ${name}`);
    return found;
  }

  /**
   * Reads the whole archive and compares it with what PostgreSQL and the manifest say.
   * @throws ArchiveDamaged with the reason why it must not be used
   */
  async verify(
    archive: CataloguedArchive,
    onRow?: (row: ArchivedRow) => Promise<void> | void,
  ): Promise<Contents> {
    const expected = expectedOf(archive);
    const { manifest, record, tenant } = archive;
    if (manifest !== null && manifest.tenant_id !== tenant.id)
      throw new ArchiveDamaged(`it is an archive of another tenant: ${manifest.tenant}`);
    if (record?.state === 'sealed' && !agrees(record, manifest))
      throw new ArchiveDamaged('its manifest is missing, or differs from PostgreSQL');
    const contents = await this.read(archive, onRow);
    if (expected.sha256 !== null && contents.sha256 !== expected.sha256)
      throw new ArchiveDamaged('its bytes have changed: the SHA-256 is another one');
    if (!isDeepStrictEqual(contents.counts, expected.counts))
      throw new ArchiveDamaged('it does not have the rows that were archived');
    return contents;
  }

  /** Reads its rows in order. @throws ArchiveDamaged */
  async read(
    archive: CataloguedArchive,
    onRow?: (row: ArchivedRow) => Promise<void> | void,
  ): Promise<Contents> {
    const { state, bytes } = expectedOf(archive);
    const path = `${this.absolute(archive.tenant.slug, archive.path)}${state === 'open' ? PART : ''}`;
    const file = await openFile(path, false).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new ArchiveDamaged(code === 'ENOENT' ? 'its file is missing' : message, { cause: error });
    });
    try {
      const { size } = await file.stat();
      if (state === 'sealed' && size > bytes)
        throw new ArchiveDamaged(`it has ${size} instead of ${bytes} bytes`);
      return await readArchive(file, { bytes, tenantId: archive.tenant.id }, onRow);
    } finally {
      await file.close();
    }
  }

  private absolute(slug: string, path: string): string {
    return join(archiveRoot(this.config), slug, path);
  }

  private async files(slug: string): Promise<string[]> {
    const names = await readdir(join(archiveRoot(this.config), slug), { recursive: true }).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      },
    );
    return names.filter((name) => FILE.test(name));
  }

  private async manifest(path: string): Promise<Manifest | null> {
    try {
      const parsed: unknown = JSON.parse(await readFile(`${path}${MANIFEST}`, 'utf8'));
      return isManifest(parsed) ? parsed : null;
    } catch {
      return null;
    }
  }
}

/** @throws ArchiveDamaged if neither PostgreSQL nor a manifest says what the file is */
export function expectedOf({ record, manifest }: CataloguedArchive): Expected {
  if (record !== null) return record;
  if (manifest === null) throw new ArchiveDamaged('it has no manifest, and PostgreSQL does not know it');
  return { ...manifest, state: 'sealed' };
}

function agrees(record: ArchiveRecord, manifest: Manifest | null): boolean {
  return (
    manifest !== null &&
    manifest.sha256 === record.sha256 &&
    manifest.bytes === record.bytes &&
    isDeepStrictEqual(manifest.counts, record.counts)
  );
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const types: Partial<Record<keyof Manifest, string>> = {
    tenant_id: 'string',
    tenant: 'string',
    thing: 'string',
    bytes: 'number',
    sha256: 'string',
    counts: 'object',
  };
  return Object.entries(types).every(([name, type]) => typeof Reflect.get(value, name) === type);
}
