import { runTogether } from '../../support/together.js';

runTogether(
  'test/web/console/settings.spec.ts',
  'test/web/console/settings-programs.spec.ts',
  'test/web/console/settings-templates.spec.ts',
  'src/auth/password/password-page.spec.ts',
);
