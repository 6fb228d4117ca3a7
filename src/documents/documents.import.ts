import { dueItemFiles } from '../imports/due-item-files.js';
import { NewDocument } from './documents.dto.js';
import { DOCUMENTS } from './documents.facts.js';

/** Files of documents. */
export const DOCUMENT_FILES = dueItemFiles({
  name: 'documents',
  due: DOCUMENTS,
  source_type: 'document',
  item: NewDocument,
  own: [],
  names: { title: ['document', 'piece'], due_on: ['attendu_le', 'attendu_pour'] },
});
