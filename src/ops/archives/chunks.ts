import { Inject, Injectable } from '@nestjs/common';
import type { ArchivedTable, ArchivedThing } from '../../platform/archives/archived-thing.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { type ArchiveFile, ArchiveWriteError } from './archive-file.js';
import { ArchiveRecords } from './archive-records.js';
import { deleteSql, linesSql, lockChildrenSql, lockRootsSql, parentsOf, recheckSql } from './chunk.sql.js';

/** Rows per transaction. */
export const MAX_ROWS = 1_000;
/** Characters of rows per transaction, so that the memory of a cleanup does not grow with long messages. */
const MAX_CHARACTERS = 8_000_000;
/** The longest wait for a lock; in nearly all statements locked rows are skipped. */
const LOCK_TIMEOUT_MS = 1_000;

/** The archive that is being written, and how much of its file counts. */
export interface OpenArchive {
  id: string;
  file: ArchiveFile;
  bytes: number;
}

export interface ChunkResult {
  /** Deleted rows, by table. */
  counts: Record<string, number>;
  rows: number;
  /** Rows of the first table that were too many for one transaction. */
  left: string[];
}

/** A row as it is archived, and the row of the first table that it belongs to. */
interface Line {
  id: string | null;
  parent: string;
  row: string;
}

interface Rechecked {
  id: string;
  at: Date;
  may_go: boolean;
  children: number;
}

/** The rows of a chunk that are archived: all rows below the same rows of the first table. */
interface Kept {
  roots: string[];
  left: string[];
  lines: string[];
  counts: Record<string, number>;
  /** The ids by which the rows of each table are deleted: those of its parent. */
  parents: Map<string, string[]>;
}

/** Archives and deletes rows, a chunk in one transaction. */
@Injectable()
export class Chunks {
  constructor(
    private readonly database: Database,
    private readonly records: ArchiveRecords,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Locks those of these rows that may go and all rows below them, writes them to the archive, and deletes them. The
   * file is durable before the transaction commits, and its new length counts only with the commit: a process killed at
   * any point neither loses rows nor archives them twice. Skips rows that others have locked.
   * @param archive null: deletes without an archive; `bytes` grows
   * @param cutoffs in the order of `thing.cutoffs`
   * @throws ArchiveWriteError; nothing was deleted
   */
  async take(
    tenantId: string,
    thing: ArchivedThing,
    {
      ids,
      cutoffs,
      archive,
    }: { ids: readonly string[]; cutoffs: readonly Date[]; archive: OpenArchive | null },
  ): Promise<ChunkResult> {
    let bytes = 0;
    const result = await this.database.tenant(tenantId, async (tx) => {
      await tx.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      if (archive !== null) await this.assertOurs(tx, archive);
      const may_go = await this.lock(tx, thing, ids, cutoffs);
      const kept = await read(tx, thing, may_go);
      if (kept.roots.length === 0) return { counts: {}, rows: 0, left: kept.left };
      if (archive !== null) {
        bytes = await archive.file.write(kept.lines, archive.bytes);
        const instants = may_go.map(({ at }) => at.getTime());
        await this.records.add(tx, archive.id, {
          bytes,
          counts: kept.counts,
          first_at: new Date(Math.min(...instants)),
          last_at: new Date(Math.max(...instants)),
          first_id: kept.roots[0] ?? '',
          last_id: kept.roots.at(-1) ?? '',
        });
      }
      for (const statement of thing.beforeDeleteSql ?? []) {
        await tx.execute(statement, [tenantId, kept.roots, this.clock.now()]);
      }
      await deleteRows(tx, thing, kept);
      return { counts: kept.counts, rows: kept.lines.length, left: kept.left };
    });
    if (archive !== null && result.rows > 0) archive.bytes = bytes;
    return result;
  }

  /** Another process may have sealed the archive while this one was stopped: its file is not ours any more. */
  private async assertOurs(tx: TenantTransaction, { id, bytes }: OpenArchive): Promise<void> {
    const record = await this.records.lock(tx, id);
    if (record?.state !== 'open' || record.bytes !== bytes) {
      throw new ArchiveWriteError('another process has taken over the archive; nothing was deleted');
    }
  }

  /** @returns the rows of the first table that may go; they and all rows with rows below them are locked. */
  private async lock(
    tx: TenantTransaction,
    thing: ArchivedThing,
    ids: readonly string[],
    cutoffs: readonly Date[],
  ): Promise<Rechecked[]> {
    if (thing.lockSql !== undefined) await tx.query(thing.lockSql, [tx.tenant_id, ids]);
    const locked = new Map<string, readonly string[]>();
    const roots = await tx.query<{ id: string }>(lockRootsSql(thing), [tx.tenant_id, ids]);
    locked.set(
      thing.tables[0].table,
      roots.map(({ id }) => id),
    );
    // Locked rows below each row of the first table.
    const below = new Map<string, number>();
    const rootOf = new Map(roots.map(({ id }) => [id, id]));
    for (const table of parentsOf(thing)) {
      const parents = locked.get(table.parent?.table ?? '') ?? [];
      const rows = await tx.query<{ id: string; parent: string }>(lockChildrenSql(table), [
        tx.tenant_id,
        parents,
      ]);
      locked.set(
        table.table,
        rows.map(({ id }) => id),
      );
      for (const { id, parent } of rows) {
        const root = rootOf.get(parent) ?? parent;
        rootOf.set(id, root);
        below.set(root, (below.get(root) ?? 0) + 1);
      }
    }
    const values: SqlValue[] = [tx.tenant_id, roots.map(({ id }) => id), this.clock.now(), ...cutoffs];
    const rechecked = await tx.query<Rechecked>(recheckSql(thing), values);
    return rechecked.filter(({ id, may_go, children }) => may_go && children === (below.get(id) ?? 0));
  }
}

/** Reads the rows and all rows below them, up to the size of a chunk, but at least one. */
async function read(
  tx: TenantTransaction,
  { tables }: ArchivedThing,
  roots: readonly Rechecked[],
): Promise<Kept> {
  const ids = new Map<string, string[]>();
  const found: { table: ArchivedTable; lines: Line[] }[] = [];
  const rootOf = new Map<string, string>();
  const size = new Map<string, { rows: number; characters: number }>();
  for (const table of tables) {
    const parents = table.parent === null ? roots.map(({ id }) => id) : (ids.get(table.parent.table) ?? []);
    const lines = parents.length === 0 ? [] : await tx.query<Line>(linesSql(table), [tx.tenant_id, parents]);
    ids.set(
      table.table,
      lines.flatMap(({ id }) => id ?? []),
    );
    found.push({ table, lines });
    for (const line of lines) {
      const root = rootOf.get(line.parent) ?? line.parent;
      if (line.id !== null) rootOf.set(line.id, root);
      const { rows, characters } = size.get(root) ?? { rows: 0, characters: 0 };
      size.set(root, { rows: rows + 1, characters: characters + line.row.length });
    }
  }
  const kept = fitting(roots, size);
  const keeps = (id: string) => kept.has(rootOf.get(id) ?? id);
  const parents = new Map<string, string[]>();
  const counts: Record<string, number> = {};
  const lines: string[] = [];
  for (const { table, lines: rows } of found) {
    const ours = rows.filter(({ parent }) => keeps(parent));
    parents.set(table.table, [...new Set(ours.map(({ parent }) => parent))]);
    if (ours.length > 0) counts[table.table] = ours.length;
    for (const { row } of ours) lines.push(`{"table":"${table.table}","row":${row}}`);
  }
  return {
    roots: roots.map(({ id }) => id).filter((id) => kept.has(id)),
    left: roots.map(({ id }) => id).filter((id) => !kept.has(id)),
    lines,
    counts,
    parents,
  };
}

function fitting(
  roots: readonly Rechecked[],
  size: ReadonlyMap<string, { rows: number; characters: number }>,
): Set<string> {
  const kept = new Set<string>();
  let rows = 0;
  let characters = 0;
  for (const { id } of roots) {
    rows += size.get(id)?.rows ?? 0;
    characters += size.get(id)?.characters ?? 0;
    if (kept.size > 0 && (rows > MAX_ROWS || characters > MAX_CHARACTERS)) break;
    kept.add(id);
  }
  return kept;
}

/** Children first. @throws Error if it deletes other rows than were read: the transaction is rolled back. */
async function deleteRows(tx: TenantTransaction, { tables }: ArchivedThing, kept: Kept): Promise<void> {
  for (const table of [...tables].reverse()) {
    const ids = kept.parents.get(table.table) ?? [];
    if (ids.length === 0) continue;
    const deleted = await tx.execute(deleteSql(table), [tx.tenant_id, ids]);
    if (deleted !== kept.counts[table.table]) {
      throw new Error(`${deleted} rows of ${table.table} instead of ${kept.counts[table.table]}`);
    }
  }
}
