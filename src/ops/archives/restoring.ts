import { Inject, Injectable } from '@nestjs/common';
import type { ArchivedTable, ArchivedThing } from '../../platform/archives/archived-thing.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { ArchiveCatalog, type CataloguedArchive, expectedOf } from './archive-catalog.js';
import { ArchiveDamaged, type ArchivedRow } from './archive-reader.js';
import { ArchiveRecords } from './archive-records.js';
import { ARCHIVED_THINGS } from './archived-things.js';
import { COLUMNS_OF, restoreSql } from './restore.sql.js';

const DAY_MS = 86_400_000;
/** Rows per transaction. */
const BATCH = 500;

/** Rows by table. */
export interface Restored {
  restored: Record<string, number>;
  /** They exist already, or what they belong to does not exist any more: an erased person, an item announced again. */
  skipped: Record<string, number>;
}

/** Puts the rows of an archive back. */
@Injectable()
export class Restoring {
  constructor(
    private readonly database: Database,
    private readonly catalog: ArchiveCatalog,
    private readonly records: ArchiveRecords,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Verifies the archive, then inserts its rows in small transactions. Skips rows that exist, so it can be repeated. The
   * cleanup leaves the rows alone for `days`.
   * @throws ArchiveDamaged; nothing was restored
   */
  async restore(archive: CataloguedArchive, days: number): Promise<Restored> {
    const { tenant } = archive;
    await this.catalog.verify(archive);
    const { thing: name, state } = expectedOf(archive);
    if (state === 'open')
      throw new ArchiveDamaged('it is still being written: the next cleanup completes it');
    const thing = ARCHIVED_THINGS.find((one) => one.name === name);
    if (thing === undefined) throw new ArchiveDamaged(`this version does not know "${name}"`);
    const { id } = archive.record ?? (await this.adopt(archive));
    const until = new Date(this.clock.now().getTime() + days * DAY_MS);
    await this.database.tenant(tenant.id, (tx) => this.records.hold(tx, id, until));
    const result: Restored = { restored: {}, skipped: {} };
    let batch: ArchivedRow[] = [];
    const flush = async () => {
      const rows = batch;
      batch = [];
      await this.insert(tenant.id, thing, rows, result);
    };
    await this.catalog.read(archive, async (row) => {
      if (batch.length === BATCH || (batch[0] && batch[0].table !== row.table)) await flush();
      batch.push(row);
    });
    await flush();
    return result;
  }

  /** Lets PostgreSQL know a file that it does not. */
  private async adopt({ tenant, path, manifest }: CataloguedArchive): Promise<{ id: string }> {
    if (manifest === null) throw new ArchiveDamaged('it has no manifest');
    const ids = await this.rangeOf({ tenant, path, manifest, record: null });
    return this.records.adopt(tenant.id, path, manifest, ids);
  }

  private async rangeOf(archive: CataloguedArchive): Promise<{ first: string; last: string }> {
    const root = ARCHIVED_THINGS.find(({ name }) => name === archive.manifest?.thing)?.tables[0].table;
    let first = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    let last = '';
    await this.catalog.read(archive, ({ table, row: { id } }) => {
      if (table !== root || typeof id !== 'string') return;
      if (id < first) first = id;
      if (id > last) last = id;
    });
    return { first, last };
  }

  private async insert(
    tenantId: string,
    thing: ArchivedThing,
    rows: readonly ArchivedRow[],
    { restored, skipped }: Restored,
  ): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const table = thing.tables.find((one) => one.table === first.table);
    if (table === undefined) throw new ArchiveDamaged(`this version does not archive ${first.table}`);
    const inserted = await this.database.tenant(tenantId, async (tx) => {
      await refuseDuringErasure(tx);
      const columns = await columnsOf(tx, table, first);
      const found = await tx.query<{ id: string | null }>(restoreSql(table, columns), [
        tenantId,
        JSON.stringify(rows.map(({ row }) => row)),
      ]);
      if (table.parent === null && thing.afterRestoreSql !== undefined) {
        const ids = found.flatMap(({ id }) => id ?? []);
        await tx.execute(thing.afterRestoreSql, [tenantId, ids, this.clock.now()]);
      }
      return found.length;
    });
    restored[first.table] = (restored[first.table] ?? 0) + inserted;
    skipped[first.table] = (skipped[first.table] ?? 0) + rows.length - inserted;
  }
}

/** What an erasure has searched must not get rows of its person from a file that it has not rewritten yet. */
async function refuseDuringErasure(tx: TenantTransaction): Promise<void> {
  const running = await tx.one(`SELECT FROM erasures WHERE tenant_id = $1 AND state = 'running' LIMIT 1`, [
    tx.tenant_id,
  ]);
  if (running !== null)
    throw new Error('a person is being erased: restore the archive again when that has ended');
}

/** The columns of an archived row. @throws ArchiveDamaged if the table does not have one of them */
async function columnsOf(
  tx: TenantTransaction,
  { table }: ArchivedTable,
  { row }: ArchivedRow,
): Promise<string[]> {
  const known = new Set((await tx.query<{ name: string }>(COLUMNS_OF, [table])).map(({ name }) => name));
  const columns = Object.keys(row);
  const unknown = columns.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new ArchiveDamaged(`it was written by another version: ${table} has no ${unknown.join(', ')}`);
  }
  return columns;
}
