import type { DueItemKind } from '../due-items/due-item-kind.js';
import { Task } from './task.entity.js';
import { TaskPatch, TaskQuery, NewTask } from './tasks.dto.js';
import { TASKS } from './tasks.facts.js';

/** The REST routes, files and lifecycle of tasks. */
export const TASK_KIND: DueItemKind<Task, TaskQuery> = {
  name: 'tasks',
  source_type: 'task',
  due: TASKS,
  entity: Task,
  newItem: NewTask,
  patch: TaskPatch,
  query: TaskQuery,
  end: { act: 'complete', description: 'Done' },
  own: [],
  filters: ['status'],
  columnNames: { title: ['tache'], due_on: ['a_faire_pour', 'a_terminer_pour'] },
};
