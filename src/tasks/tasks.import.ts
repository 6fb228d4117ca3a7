import { columnNames, type ImportKind, importedRow } from '../imports/import-kind.js';
import { NewTask } from './tasks.dto.js';
import { TASKS } from './tasks.facts.js';

/** Files of tasks. */
export const TASK_FILES: ImportKind = {
  name: 'tasks',
  due: TASKS,
  source_type: 'task',
  row: importedRow(NewTask),
  own: [],
  columns: columnNames({ title: ['tache'], due_on: ['a_faire_pour', 'a_terminer_pour'] }),
};
