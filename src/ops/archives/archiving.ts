import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { RunCounts } from '../../contracts/jobs.js';
import type { ArchivedThing } from '../../platform/archives/archived-thing.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Database } from '../../platform/database/database.js';
import { databaseFailure } from '../../platform/database/failures.js';
import { TenantDirectory } from '../../tenants/tenant-directory.js';
import type { Run } from '../../runs/run-handlers.js';
import { ArchiveFile } from './archive-file.js';
import { createFile, PART } from './archive-folder.js';
import { ArchiveRecords } from './archive-records.js';
import { ARCHIVED_THINGS } from './archived-things.js';
import { earlyPageSql, mayGoOnlySql, type PageRow, pageSql } from './chunk.sql.js';
import { Chunks, MAX_ROWS, type OpenArchive } from './chunks.js';
import { Pace } from './pace.js';
import { Retention } from './retention.js';
import { Sealing } from './sealing.js';

/** Rows of the first table that are looked at in one statement. */
const PAGE = 1_000;
/** Rows of each order that a rehearsal looks at. */
const MAX_COUNTED = 10_000;
/** A chunk that takes longer, in ms, is followed by smaller ones: its locks may keep others waiting. */
const MAX_CHUNK_MS = 400;
/** A larger file is sealed, and followed by another one, in bytes. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;
/** How often a chunk is tried again whose rows others had locked, and after what time. */
const BUSY_ATTEMPTS = 5;
const BUSY_WAIT_MS = 1_000;
/** lock_not_available, deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BUSY_CODES = ['55P03', '40P01'];

/** One thing of one tenant in one run. */
interface Work {
  run: Run;
  thing: ArchivedThing;
  cutoffs: readonly Date[];
  archive: OpenArchive | null;
  counts: RunCounts;
  /** Rows of the first table in the next chunk: as many as have `MAX_ROWS` rows with those below them. */
  size: number;
}

/** Archives and deletes what a tenant need not keep any longer, in small transactions. */
@Injectable()
export class Archiving {
  constructor(
    private readonly database: Database,
    private readonly tenants: TenantDirectory,
    private readonly records: ArchiveRecords,
    private readonly sealing: Sealing,
    private readonly chunks: Chunks,
    private readonly retention: Retention,
    private readonly pace: Pace,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns the deleted rows, by table. @throws ArchiveWriteError if a file cannot be written */
  async run(run: Run): Promise<RunCounts> {
    await this.sealing.sealOpen(run.tenant_id);
    const cutoffs = await this.retention.cutoffs(run.tenant_id);
    const counts: RunCounts = {};
    for (const thing of ARCHIVED_THINGS) {
      const work = { run, thing, cutoffs: thing.cutoffs.map((name) => cutoffs[name]), counts };
      await this.clean({ ...work, archive: null, size: MAX_ROWS / 4 });
    }
    return counts;
  }

  /** How many things of each kind it would delete, of the oldest and of those that may go early. */
  async count(tenantId: string): Promise<RunCounts> {
    const cutoffs = await this.retention.cutoffs(tenantId);
    const counts: RunCounts = {};
    for (const thing of ARCHIVED_THINGS) {
      const values = [tenantId, '', this.clock.now(), ...thing.cutoffs.map((name) => cutoffs[name])];
      const ids = new Set<string>();
      for (const sql of [pageSql(thing, MAX_COUNTED), earlyPageSql(thing, MAX_COUNTED)]) {
        if (sql === null) continue;
        const page = await this.database.single(tenantId).query<{ id: string }>(mayGoOnlySql(sql), values);
        for (const { id } of page) ids.add(id);
      }
      counts[thing.tables[0].table] = ids.size;
    }
    return counts;
  }

  private async clean(work: Work): Promise<void> {
    try {
      await this.cleanPages(work, pageSql(work.thing, PAGE), true);
      const early = earlyPageSql(work.thing, PAGE);
      if (early !== null) await this.cleanPages(work, early, false);
    } finally {
      await work.archive?.file.close();
    }
    // After a failure the next run seals it.
    if (work.archive !== null) await this.sealing.seal(work.run.tenant_id, work.archive.id);
  }

  /** @param ordered by time: a page of young rows is the last one */
  private async cleanPages(work: Work, sql: string, ordered: boolean): Promise<void> {
    const { run, cutoffs } = work;
    let position = '';
    for (;;) {
      await this.pace.rest(run.signal);
      const page = await this.database
        .single(run.tenant_id)
        .query<PageRow>(sql, [run.tenant_id, position, this.clock.now(), ...cutoffs]);
      let waiting = [...new Set(page.filter(({ may_go }) => may_go).map(({ id }) => id))];
      while (waiting.length > 0) {
        await this.pace.rest(run.signal);
        const now = waiting.slice(0, work.size);
        const left = await this.takeChunk(work, now);
        waiting = [...left, ...waiting.slice(now.length)];
      }
      if (page.length < PAGE || (ordered && page.every(({ young }) => young))) return;
      position = page.at(-1)?.position ?? '';
    }
  }

  private async takeChunk(work: Work, ids: readonly string[]): Promise<readonly string[]> {
    const { run, thing, cutoffs, counts } = work;
    if (this.config.archiveBeforeDelete) work.archive = await this.openArchive(work);
    const began = performance.now();
    const done = await this.retried(run, () =>
      this.chunks.take(run.tenant_id, thing, { ids, cutoffs, archive: work.archive }),
    );
    const roots = done.counts[thing.tables[0].table] ?? 0;
    if (roots > 0) {
      const fitting = Math.floor((MAX_ROWS * roots) / done.rows);
      const quick = performance.now() - began < MAX_CHUNK_MS;
      work.size = Math.max(1, Math.min(quick ? fitting : Math.floor(roots / 2), 2 * work.size));
    }
    for (const [table, rows] of Object.entries(done.counts)) counts[table] = (counts[table] ?? 0) + rows;
    run.progress(counts);
    return done.left;
  }

  /** The archive of the next chunk. */
  private async openArchive({ run, thing, archive }: Work): Promise<OpenArchive> {
    if (archive !== null && archive.bytes < MAX_FILE_BYTES) return archive;
    if (archive !== null) {
      await archive.file.close();
      await this.sealing.seal(run.tenant_id, archive.id);
    }
    const tenant = await this.tenants.byId(run.tenant_id);
    if (tenant === null) throw new Error('the tenant was deleted');
    const { id, path } = await this.records.create(run.tenant_id, thing.name);
    const file = await createFile(`${await this.sealing.pathOf(tenant.slug, path)}${PART}`);
    return { id, file: new ArchiveFile(file, path), bytes: 0 };
  }

  /** Tries again if others hold locks for too long. */
  private async retried<Result>({ signal }: Run, take: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await take();
      } catch (error) {
        const code = databaseFailure(error)?.code ?? '';
        if (!BUSY_CODES.includes(code) || attempt === BUSY_ATTEMPTS) throw error;
        await delay(BUSY_WAIT_MS, undefined, { signal });
      }
    }
  }
}
