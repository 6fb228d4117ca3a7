import { runTogether } from '../support/together.js';

runTogether(
  'src/backups/alerts',
  'src/backups/board',
  'src/backups/files',
  'src/backups/jobs',
  'src/backups/notes',
  'src/backups/reports',
  'src/backups/store',
  'src/backups/scan',
);
