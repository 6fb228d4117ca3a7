import { runTogether } from '../support/together.js';

runTogether(
  'src/cli/demo',
  'src/cli/try',
  'src/listening.spec.ts',
  'src/npm-start.spec.ts',
  'src/platform/embedded',
  'src/platform/start',
);
