import { runTogether } from '../../support/together.js';

runTogether(
  'test/web/console/operator.spec.ts',
  'src/ops/queues/queue-board.spec.ts',
  'test/web/console/frame.spec.ts',
);
