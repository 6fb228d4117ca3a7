import { dueItemFiles } from '../imports/due-item-files.js';
import { NewTask } from './tasks.dto.js';
import { TASKS } from './tasks.facts.js';

/** Files of tasks. */
export const TASK_FILES = dueItemFiles({
  name: 'tasks',
  due: TASKS,
  source_type: 'task',
  item: NewTask,
  own: [],
  names: { title: ['tache'], due_on: ['a_faire_pour', 'a_terminer_pour'] },
});
