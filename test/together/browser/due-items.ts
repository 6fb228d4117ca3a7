import { runTogether } from '../../support/together.js';

runTogether(
  'test/web/console/due-items.spec.ts',
  'src/notifications/unsubscribe/unsubscribe-browser.spec.ts',
);
