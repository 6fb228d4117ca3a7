import { runTogether } from '../../support/together.js';

runTogether(
  'test/web/console/people.spec.ts',
  'test/web/console/pushes.spec.ts',
  'test/web/examples.spec.ts',
);
