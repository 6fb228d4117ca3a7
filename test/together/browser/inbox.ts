import { runTogether } from '../../support/together.js';

runTogether('test/web/inbox.spec.ts', 'test/web/inbox-live.spec.ts', 'test/web/inbox-states.spec.ts');
