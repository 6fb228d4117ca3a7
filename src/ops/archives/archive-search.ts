import type { ArchivedThing } from '../../platform/archives/archived-thing.js';
import type { ArchivedRow } from './archive-reader.js';

/** Which rows of an archive to show; all conditions together. */
export interface ArchiveFilter {
  /** Of any row; rows below it are shown, too. */
  id?: string;
  user_id?: string;
  /** Of the first table: to any of these. */
  recipients?: readonly string[];
  /** Of the first table: inclusive, exclusive. */
  since?: Date;
  until?: Date;
}

/** Finds rows of one archive as they are read: those that match, and all rows below them. */
export class ArchiveSearch {
  /** Ids of found rows, by table. */
  private readonly found = new Map<string, Set<string>>();

  constructor(
    private readonly thing: ArchivedThing,
    private readonly filter: ArchiveFilter,
  ) {}

  matches({ table: name, row }: ArchivedRow): boolean {
    const table = this.thing.tables.find((one) => one.table === name);
    if (table === undefined) return false;
    const parent = table.parent === null ? null : row[table.parent.column];
    const below =
      table.parent !== null &&
      typeof parent === 'string' &&
      this.found.get(table.parent.table)?.has(parent) === true;
    if (!below && !this.isAsked(row, table.parent === null)) return false;
    if (typeof row.id === 'string') {
      const ids = this.found.get(name) ?? new Set();
      this.found.set(name, ids.add(row.id));
    }
    return true;
  }

  private isAsked(row: Record<string, unknown>, isFirst: boolean): boolean {
    const { id, user_id, recipients, since, until } = this.filter;
    if (!isFirst)
      return id !== undefined && row.id === id && user_id === undefined && !recipients && !since && !until;
    if (id !== undefined && row.id !== id) return false;
    if (user_id !== undefined && (this.thing.user === undefined || row[this.thing.user] !== user_id))
      return false;
    if (recipients !== undefined && !recipients.includes(String(row.recipient))) return false;
    const at = new Date(String(row[this.thing.instant]));
    return (since === undefined || at >= since) && (until === undefined || at < until);
  }
}
