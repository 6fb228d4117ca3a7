import { runTogether } from '../support/together.js';

runTogether(
  'src/cli/backups.spec.ts',
  'src/cli/operators.spec.ts',
  'src/cli/queues.spec.ts',
  'src/cli/tenants.spec.ts',
  'src/cli/vigie.spec.ts',
);
