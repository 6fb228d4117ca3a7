import { dueItemFiles } from '../imports/due-item-files.js';
import { NewDeadline } from './deadlines.dto.js';
import { DEADLINES } from './deadlines.facts.js';

/** Files of deadlines. */
export const DEADLINE_FILES = dueItemFiles({
  name: 'deadlines',
  due: DEADLINES,
  source_type: 'deadline',
  item: NewDeadline,
  own: ['category'],
  names: { category: ['categorie', 'type'], title: ['obligation', 'declaration'] },
});
