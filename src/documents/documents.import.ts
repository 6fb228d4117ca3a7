import { columnNames, type ImportKind, importedRow } from '../imports/import-kind.js';
import { NewDocument } from './documents.dto.js';
import { DOCUMENTS } from './documents.facts.js';

/** Files of documents. */
export const DOCUMENT_FILES: ImportKind = {
  name: 'documents',
  due: DOCUMENTS,
  source_type: 'document',
  row: importedRow(NewDocument),
  own: [],
  columns: columnNames({ title: ['document', 'piece'], due_on: ['attendu_le', 'attendu_pour'] }),
};
