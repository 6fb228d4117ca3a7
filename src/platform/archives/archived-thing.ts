/**
 * What the cleanup archives and deletes. The room that owns a table declares how its rows belong together and when they
 * may go; `ops/archives` does the work, and knows no table.
 */

/** A table whose rows are archived together with those of their parent. */
export interface ArchivedTable {
  table: string;
  /** Null for the first table of a thing. */
  parent: { table: string; /** The column with the parent's id. */ column: string } | null;
  /** The columns of the primary key after `tenant_id`, in order. A table with children has the key `id`. */
  key: readonly string[];
  /**
   * Rows of other tables that a restored row refers to, and what becomes of a row whose referenced row no longer exists:
   * it is restored without the reference, or not at all.
   */
  references?: readonly { column: string; table: string; missing: 'clear' | 'skip' }[];
}

/** SQL expressions: the tenant's id, the present instant, and the instant of each cutoff. */
export type ArchiveParameters<Cutoff extends string> = Readonly<Record<'tenant_id' | 'now' | Cutoff, string>>;

/** Rows that are archived and deleted together: a row of the first table, with all rows below it. */
export interface ArchivedThing<Cutoff extends string = string> {
  /** Stored, and a part of file names. */
  name: string;
  /** Parents before their children. */
  tables: readonly [ArchivedTable, ...ArchivedTable[]];
  /** The column of the first table that is the instant of the thing, for the time range of an archive. */
  instant: string;
  /** Whose rows `vigie archive show --user` finds: the column of the first table with a user's id. */
  user?: string;
  /** Instants before which something is old enough; the tenant's retention sets them. */
  cutoffs: readonly Cutoff[];
  /** Ids grow with time: reading in their order ends at a page of rows that are all younger than this cutoff. */
  until: Cutoff;
  /**
   * Whether everything of the row `r` of the first table has ended, and is old enough. Reads the rows below it, too: they
   * are locked when it decides.
   */
  finishedSql: (r: string, p: ArchiveParameters<Cutoff>) => string;
  /**
   * A SELECT of rows of the first table that may go although they are younger than `until`, with a text `position`, after
   * the position `after`, at most `limit`, in order.
   */
  earlySql?: (p: ArchiveParameters<Cutoff>, after: string, limit: number) => string;
  /** Run before the rows are locked. $1 tenant id, $2 ids of the first table. */
  lockSql?: string;
  /** Run before the rows are deleted, in the same transaction. $1 tenant id, $2 ids of the first table, $3 now */
  beforeDeleteSql?: readonly string[];
  /** Run after rows were restored, in the same transaction. The same parameters. */
  afterRestoreSql?: string;
}
