import { runTogether } from '../support/together.js';

runTogether(
  'src/backups/board',
  'src/backups/files',
  'src/backups/jobs',
  'src/backups/reports',
  'src/backups/store',
);
