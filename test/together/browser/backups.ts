import { runTogether } from '../../support/together.js';

runTogether('test/web/console/backups.spec.ts', 'src/notifications/alerts/alert-page-browser.spec.ts');
