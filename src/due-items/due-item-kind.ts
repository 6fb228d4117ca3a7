import type { CellForm, ImportKindName } from '../imports/import-kind.js';
import type { DueItem } from './due-item.js';
import type { DueItemFilter, DueItemPageQuery, NewDueItem } from './due-item.dto.js';
import type { DueTable } from './due-items.sql.js';

/** One kind of due items, declared once by its room, which derives REST routes, files and lifecycle from it. */
export interface DueItemKind<Item extends DueItem, Filter extends DueItemFilter> {
  /** The path of its routes, and the name of its imports: `deadlines`. */
  name: ImportKindName;
  /** `source_type` of its alerts. */
  source_type: string;
  due: DueTable;
  entity: new () => Item;
  /** The fields for creating an item, over REST and from a file. */
  newItem: new () => NewDueItem;
  patch: new () => Partial<NewDueItem>;
  /** Which items a list has. */
  filter: new () => Filter;
  /** The same, and which page of them. */
  query: new () => Filter & DueItemPageQuery;
  /** The act that ends an item, `POST {name}/{id}/{act}`, and the description of its response. */
  end: { act: string; description: string };
  /** Fields that only some kinds have; they may be null. */
  own: readonly string[];
  /** Those of `own` that are whole numbers; the others are texts. */
  numbers?: readonly string[];
  /** Columns to filter a list by, besides those of every kind. */
  filters: readonly (string & keyof Filter)[];
  /** Other names of columns in files, by field. */
  columnNames: Readonly<Record<string, readonly string[]>>;
  /** Cells of own fields that are not plain text. */
  cells?: Readonly<Record<string, CellForm>>;
}
