import type { TenantTransaction } from '../platform/database/transaction.js';

export const IMPORT_KINDS = ['deadlines', 'documents', 'tasks', 'backup_jobs'] as const;
export type ImportKindName = (typeof IMPORT_KINDS)[number];

/** What applying an import did. */
export interface Applied {
  created: number;
  updated: number;
  unchanged: number;
  rejected: number;
  /** Items whose earlier notifications are no longer true. */
  moved_ids: string[];
}

/** Which staged lines are to land, and when that is. */
export interface Landing {
  import_id: string;
  /** The civil date in the tenant's zone. */
  today: string;
  now: Date;
}

/** How a CSV cell of a field that is more than text is read. */
export interface CellForm {
  /** The value of a cell; what it cannot read it returns as it is: the field's own rule refuses that. */
  read: (cell: string) => unknown;
  /** What such a cell must be, for people: `a time of day, such as 02:00 or 2h30`. */
  takes: string;
}

/** What a room says of its files. */
export interface ImportKind {
  name: ImportKindName;
  /** As in the alerts about its items. */
  source_type: string;
  /** A line of a file, by the rules of what the JSON endpoint takes. */
  row: new () => object;
  /** What every line has to say. */
  required: readonly string[];
  /** Names of columns, as `normalisedName` writes them, and the field that each is. */
  columns: ReadonlyMap<string, string>;
  /** Names that can mean several fields: the first one that no other column is. */
  ambiguous: ReadonlyMap<string, readonly string[]>;
  /** Fields that are more than text. */
  cells: Readonly<Record<string, CellForm>>;
  /** Fields that may be lists of plain values. */
  lists: readonly string[];
  /**
   * Staged lines (`import_rows`) → items, in a fixed number of statements. Lines that can't land become
   * `import_faults`: `keepFaultsSql`.
   */
  land(tx: TenantTransaction, landing: Landing): Promise<Applied>;
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
