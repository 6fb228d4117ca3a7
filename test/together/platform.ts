import { runTogether } from '../support/together.js';

runTogether(
  'src/platform/addresses',
  'src/platform/clock',
  'src/platform/config',
  'src/platform/encryption',
  'src/platform/errors',
  'src/platform/http',
  'src/platform/json',
  'src/platform/logging',
  'src/platform/queues',
  'src/platform/redis',
  'src/platform/text',
  'src/platform/tracing',
  'src/asyncapi.spec.ts',
  'src/docs.spec.ts',
  'test/http',
);
