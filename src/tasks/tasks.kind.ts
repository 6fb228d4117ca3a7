import type { DueItemKind } from '../due-items/due-item-kind.js';
import { Task } from './task.entity.js';
import { NewTask, TaskFilter, TaskPatch, TaskQuery } from './tasks.dto.js';
import { TASKS } from './tasks.facts.js';

/** The REST routes, files and lifecycle of tasks. */
export const TASK_KIND: DueItemKind<Task, TaskFilter> = {
  name: 'tasks',
  source_type: 'task',
  due: TASKS,
  entity: Task,
  newItem: NewTask,
  patch: TaskPatch,
  filter: TaskFilter,
  query: TaskQuery,
  end: { act: 'complete', description: 'Done' },
  own: [],
  filters: ['status'],
  columnNames: { title: ['tache'], due_on: ['a_faire_pour', 'a_terminer_pour'] },
};
