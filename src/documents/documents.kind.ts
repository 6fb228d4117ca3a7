import type { DueItemKind } from '../due-items/due-item-kind.js';
import { DocumentRequest } from './document-request.entity.js';
import { DocumentPatch, DocumentQuery, NewDocument } from './documents.dto.js';
import { DOCUMENTS } from './documents.facts.js';

/** The REST routes, files and lifecycle of documents. */
export const DOCUMENT_KIND: DueItemKind<DocumentRequest, DocumentQuery> = {
  name: 'documents',
  source_type: 'document',
  due: DOCUMENTS,
  entity: DocumentRequest,
  newItem: NewDocument,
  patch: DocumentPatch,
  query: DocumentQuery,
  end: { act: 'receive', description: 'Received' },
  own: [],
  filters: ['status'],
  columnNames: { title: ['document', 'piece'], due_on: ['attendu_le', 'attendu_pour'] },
};
