import type { DueItemKind } from '../due-items/due-item-kind.js';
import { DocumentRequest } from './document-request.entity.js';
import { DocumentFilter, DocumentPatch, DocumentQuery, NewDocument } from './documents.dto.js';
import { DOCUMENTS } from './documents.facts.js';

/** The REST routes, files and lifecycle of documents. */
export const DOCUMENT_KIND: DueItemKind<DocumentRequest, DocumentFilter> = {
  name: 'documents',
  source_type: 'document',
  due: DOCUMENTS,
  entity: DocumentRequest,
  newItem: NewDocument,
  patch: DocumentPatch,
  filter: DocumentFilter,
  query: DocumentQuery,
  end: { act: 'receive', description: 'Received' },
  own: [],
  filters: ['status'],
  columnNames: { title: ['document', 'piece'], due_on: ['attendu_le', 'attendu_pour'] },
};
