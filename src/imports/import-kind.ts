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
  /** Fields that are more than text, and what the text of a CSV cell is then; what it is not stays text. */
  cells: Readonly<Record<string, (cell: string) => unknown>>;
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
