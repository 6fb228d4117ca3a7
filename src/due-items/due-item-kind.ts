import type { ImportKindName } from '../imports/import-kind.js';
import type { DueItem } from './due-item.js';
import type { DueItemQuery, NewDueItem } from './due-item.dto.js';
import type { DueTable } from './due-items.sql.js';

/** One kind of due items, declared once by its room: its REST routes, its files and its life follow from it. */
export interface DueItemKind<Item extends DueItem, Query extends DueItemQuery> {
  /** The path of its routes, and the name of its imports: `deadlines`. */
  name: ImportKindName;
  /** `source_type` of its alerts. */
  source_type: string;
  due: DueTable;
  entity: new () => Item;
  /** What creates an item, over REST and from a file. */
  newItem: new () => NewDueItem;
  patch: new () => Partial<NewDueItem>;
  query: new () => Query;
  /** The act that ends an item, `POST {name}/{id}/{act}`, and what its answer says. */
  end: { act: string; description: string };
  /** Fields that not every kind has; they may be null. */
  own: readonly string[];
  /** Columns that a list can be filtered by, beside those of every kind. */
  filters: readonly (string & keyof Query)[];
  /** Other names of columns in files, by field. */
  columnNames: Readonly<Record<string, readonly string[]>>;
}
