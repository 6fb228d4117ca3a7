import { runTogether } from '../support/together.js';

runTogether(
  'src/imports',
  'src/front-end',
  'test/web/client.spec.ts',
  'test/web/development.spec.ts',
  'test/web/inbox-words.spec.ts',
  'test/web/console/backup-states.spec.ts',
  'test/web/console/due-item-states.spec.ts',
  'test/web/console/list-states.spec.ts',
  'test/web/console/operator-states.spec.ts',
  'test/web/console/people-states.spec.ts',
  'test/web/console/push-states.spec.ts',
  'test/web/console/reminder-states.spec.ts',
  'test/web/console/settings-states.spec.ts',
);
