import { columnNames, type ImportKind, importedRow } from '../imports/import-kind.js';
import { NewDeadline } from './deadlines.dto.js';
import { DEADLINES } from './deadlines.facts.js';

/** Files of deadlines. */
export const DEADLINE_FILES: ImportKind = {
  name: 'deadlines',
  due: DEADLINES,
  source_type: 'deadline',
  row: importedRow(NewDeadline),
  own: ['category'],
  columns: columnNames({ category: ['categorie', 'type'], title: ['obligation', 'declaration'] }),
};
