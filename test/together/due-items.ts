import { runTogether } from '../support/together.js';

runTogether(
  'src/deadlines',
  'src/digest',
  'src/documents',
  'src/due-items',
  'src/overview',
  'src/reminders',
  'src/tasks',
  'src/scheduler',
  'src/runs',
);
