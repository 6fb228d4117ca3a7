import type { DueItemKind } from '../due-items/due-item-kind.js';
import { Deadline } from './deadline.entity.js';
import { DeadlineFilter, DeadlinePatch, DeadlineQuery, NewDeadline } from './deadlines.dto.js';
import { DEADLINES } from './deadlines.facts.js';

/** The REST routes, files and lifecycle of deadlines. */
export const DEADLINE_KIND: DueItemKind<Deadline, DeadlineFilter> = {
  name: 'deadlines',
  source_type: 'deadline',
  due: DEADLINES,
  entity: Deadline,
  newItem: NewDeadline,
  patch: DeadlinePatch,
  filter: DeadlineFilter,
  query: DeadlineQuery,
  end: { act: 'complete', description: 'Done' },
  own: ['category'],
  filters: ['status', 'category'],
  columnNames: { category: ['categorie', 'type'], title: ['obligation', 'declaration'] },
};
