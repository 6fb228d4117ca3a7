import { runTogether } from '../../support/together.js';

runTogether('test/web/console/settings.spec.ts', 'src/auth/password/password-page.spec.ts');
