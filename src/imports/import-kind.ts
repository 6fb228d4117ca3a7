import type { TenantTransaction } from '../platform/database/transaction.js';

export const IMPORT_KINDS = ['deadlines', 'documents', 'tasks', 'tickets', 'backup_jobs'] as const;
export type ImportKindName = (typeof IMPORT_KINDS)[number];

/** The result of applying an import. */
export interface Applied {
  created: number;
  updated: number;
  unchanged: number;
  rejected: number;
  /** Items whose earlier notifications are no longer correct. */
  moved_ids: string[];
}

/** What applying would change. */
export interface Compared {
  created: number;
  updated: number;
  unchanged: number;
  rejected: number;
  missing: number;
}

/** Which staged lines to apply, and as of when. */
export interface Landing {
  import_id: string;
  /** The civil date in the tenant's zone. */
  today: string;
  now: Date;
}

/** How a CSV cell is parsed, for a field that is not plain text. */
export interface CellForm {
  /** The value of a cell; an unreadable cell is returned unchanged, and the field's own rule refuses it. */
  read: (cell: string) => unknown;
  /** The expected content, for people: `a time of day, such as 02:00 or 2h30`. */
  takes: string;
}

/** A room's description of its files. */
export interface ImportKind {
  name: ImportKindName;
  /** The same as in the alerts about its items. */
  source_type: string;
  /** Who imports its files, and applies or discards its dry runs; by default members too. */
  who?: 'admin';
  /** A line of a file, with the rules of the JSON endpoint. */
  row: new () => object;
  /** Required fields of every line. */
  required: readonly string[];
  /** Column names, in the form of `normalisedName`, with the field of each. */
  columns: ReadonlyMap<string, string>;
  /** Names that can mean several fields: the first one that no other column has is used. */
  ambiguous: ReadonlyMap<string, readonly string[]>;
  /** Fields that are not plain text. */
  cells: Readonly<Record<string, CellForm>>;
  /** Fields that may be lists of plain values. */
  lists: readonly string[];
  /**
   * Staged lines (`import_rows`) → items, in a fixed number of statements. Lines that cannot be applied become
   * `import_faults`: `keepFaultsSql`.
   */
  land(tx: TenantTransaction, landing: Landing): Promise<Applied>;
  /**
   * Stores what `land` would change (`import_changes`) and the faults that it would find, and deletes the
   * faulty lines.
   */
  compare(tx: TenantTransaction, importId: string): Promise<Compared>;
}

/** @param names other names of a field's column, by field; later tables add to earlier ones */
export function columnNames(...names: Readonly<Record<string, readonly string[]>>[]): Map<string, string> {
  const columns = new Map<string, string>();
  for (const table of names) {
    for (const [field, others] of Object.entries(table)) {
      for (const name of [field, ...others]) columns.set(name, field);
    }
  }
  return columns;
}
