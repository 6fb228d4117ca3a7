import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { writeFileAtomic } from '../../platform/embedded/write-file-atomic.js';
import { ArchiveCatalog, type CataloguedArchive } from './archive-catalog.js';
import { ArchiveFile } from './archive-file.js';
import { MANIFEST, PART, syncFolder } from './archive-folder.js';
import { type ArchivedRow, ArchiveDamaged, type Contents, readArchive } from './archive-reader.js';
import { ArchiveRecords } from './archive-records.js';
import { manifestOf, Sealing } from './sealing.js';

/** Lines of one gzip member, and their characters: these bound the memory. */
const MAX_LINES = 1_000;
const MAX_CHARACTERS = 8_000_000;

/** The longest wait between two statements of the transaction, in ms: PostgreSQL ends one that is idle for a minute. */
const KEEP_ALIVE_MS = 10_000;

/** What becomes of a row, the same one if nothing; null: it is left out. */
export type RewriteRow = (row: ArchivedRow) => ArchivedRow | null;

/** What the next generation of an archive lacks. */
export interface Rewritten {
  /** Null: nothing of it has changed, and its file is as before. */
  replaced: string | null;
  changed: number;
  dropped: number;
}

/**
 * Writes the next generation of a sealed archive, whose rows differ. The new file has a name of its own, and is whole,
 * synced and verified before PostgreSQL names it; only then may the old one be removed (`remove`). A killed process
 * leaves at most a file that the next attempt overwrites.
 */
@Injectable()
export class Rewriting {
  constructor(
    private readonly catalog: ArchiveCatalog,
    private readonly records: ArchiveRecords,
    private readonly sealing: Sealing,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @param reason what the new name is made of, so that a repeated attempt finds its own file
   * @param begin called for each reading of the archive, whose rows it then gets in order
   * @returns the path that is to be removed after the commit
   * @throws ArchiveDamaged if it cannot be read; it stays as it is
   */
  async rewrite(
    tx: TenantTransaction,
    archive: CataloguedArchive,
    reason: string,
    begin: () => RewriteRow,
  ): Promise<Rewritten> {
    const { tenant, record, manifest } = archive;
    if (record !== null) {
      const locked = await this.records.lock(tx, record.id);
      if (locked === null || locked.path !== record.path) return { replaced: null, changed: 0, dropped: 0 };
    }
    const alive = keepAlive(tx);
    const counted = await this.count(archive, begin(), alive);
    if (counted.changed + counted.dropped === 0) return { replaced: null, ...counted };
    const path = nextPath(archive.path, reason);
    const absolute = await this.sealing.pathOf(tenant.slug, path);
    const contents = await this.write(absolute, archive, begin(), alive);
    if (contents === null) {
      if (record !== null) await this.records.remove(tx, record.id);
      return { replaced: archive.path, ...counted };
    }
    const sealed_at = this.clock.now();
    const next = { ...(record ?? recordOf(manifest)), path, ...contents, sealed_at };
    await writeFileAtomic(
      `${absolute}${MANIFEST}`,
      `${JSON.stringify(manifestOf(tenant, next), null, 2)}\n`,
      0o600,
    );
    await rename(`${absolute}${PART}`, absolute);
    await syncFolder(dirname(absolute));
    if (record !== null) await this.records.replace(tx, record.id, { path, ...contents, sealed_at });
    return { replaced: archive.path, ...counted };
  }

  /** Removes the file of an earlier generation. Repeatable. */
  async remove(slug: string, path: string): Promise<void> {
    const absolute = await this.sealing.pathOf(slug, path);
    // The file first: without its manifest it would count as damaged.
    await rm(absolute, { force: true });
    await rm(`${absolute}${MANIFEST}`, { force: true });
    await syncFolder(dirname(absolute));
  }

  /** What would differ: most archives do not name somebody, and are only read. Verifies the archive. */
  private async count(
    archive: CataloguedArchive,
    rewriteRow: RewriteRow,
    alive: () => Promise<void>,
  ): Promise<Pick<Rewritten, 'changed' | 'dropped'>> {
    let changed = 0;
    let dropped = 0;
    await this.catalog.verify(archive, async (row) => {
      await alive();
      const next = rewriteRow(row);
      if (next === null) dropped += 1;
      else if (next !== row) changed += 1;
    });
    return { changed, dropped };
  }

  /** @returns what the new file holds; null: nothing, and there is none */
  private async write(
    absolute: string,
    archive: CataloguedArchive,
    rewriteRow: RewriteRow,
    alive: () => Promise<void>,
  ): Promise<Contents | null> {
    const handle = await open(
      `${absolute}${PART}`,
      constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      const file = new ArchiveFile(handle, `${absolute}${PART}`);
      const counts: Record<string, number> = {};
      let bytes = 0;
      let lines: string[] = [];
      let characters = 0;
      const flush = async () => {
        if (lines.length > 0) bytes = await file.write(lines, bytes);
        lines = [];
        characters = 0;
      };
      await this.catalog.read(archive, async (row) => {
        await alive();
        const next = rewriteRow(row);
        if (next === null) return;
        const line = JSON.stringify({ table: next.table, row: next.row });
        counts[next.table] = (counts[next.table] ?? 0) + 1;
        lines.push(line);
        characters += line.length;
        if (lines.length >= MAX_LINES || characters >= MAX_CHARACTERS) await flush();
      });
      await flush();
      if (bytes === 0) {
        await rm(`${absolute}${PART}`, { force: true });
        return null;
      }
      const contents = await readArchive(handle, { bytes, tenantId: archive.tenant.id }, alive);
      if (!isDeepStrictEqual(contents.counts, counts))
        throw new Error(`${absolute}${PART} does not hold what was written`);
      await handle.sync();
      return contents;
    } finally {
      await handle.close();
    }
  }
}

function keepAlive(tx: TenantTransaction): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < KEEP_ALIVE_MS) return;
    last = performance.now();
    await tx.query('SELECT 1');
  };
}

/** The same name with another id. */
function nextPath(path: string, reason: string): string {
  const hex = createHash('sha256').update(`${reason} ${path}`).digest('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  return `${dirname(path)}/${basename(path).replace(/[0-9a-f-]{36}\.ndjson\.gz$/, `${id}.ndjson.gz`)}`;
}

/** Of a file that PostgreSQL does not know. */
function recordOf(manifest: CataloguedArchive['manifest']) {
  if (manifest === null) throw new ArchiveDamaged('it has no manifest, and PostgreSQL does not know it');
  const { thing, first_at, last_at, schema_version, created_at } = manifest;
  return {
    thing,
    schema_version,
    created_at: new Date(created_at),
    first_at: first_at === null ? null : new Date(first_at),
    last_at: last_at === null ? null : new Date(last_at),
  };
}
