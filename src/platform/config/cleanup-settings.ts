import { integerVariable, switchVariable } from './variables.js';

const MAX_DAYS = 3_650;

/** What the nightly cleanup deletes: a part of SCHEMA. */
export const CLEANUP_SETTINGS = {
  cleanupEnabled: switchVariable({
    env: 'CLEANUP_ENABLED',
    yaml: 'cleanup.enabled',
    default: true,
    doc: 'Off: the nightly cleanup deletes nothing.',
  }),
  deleteSentAfterDays: days({
    env: 'CLEANUP_SENT_DAYS',
    yaml: 'cleanup.delete_sent_after_days',
    default: 30,
    doc: 'Days after which the cleanup deletes a notification whose deliveries were sent or ended otherwise. Tenants can choose their own.',
  }),
  deleteFailedAfterDays: days({
    env: 'CLEANUP_FAILED_DAYS',
    yaml: 'cleanup.delete_failed_after_days',
    default: 7,
    doc: 'The same for failed deliveries.',
  }),
  deleteUnreadAfterDays: days({
    env: 'CLEANUP_UNREAD_DAYS',
    yaml: 'cleanup.delete_unread_after_days',
    default: 90,
    doc: 'Days for which an unread notification is kept at least. While its alert is open it is always kept.',
  }),
  deleteRunsAfterDays: days({
    env: 'CLEANUP_RUN_DAYS',
    yaml: 'cleanup.delete_runs_after_days',
    default: 90,
    doc: 'Days for which finished runs of jobs are kept. Successful scheduled runs of jobs with an interval: 3.',
  }),
  deleteImportsAfterDays: days({
    env: 'CLEANUP_IMPORT_DAYS',
    yaml: 'cleanup.delete_imports_after_days',
    default: 30,
    doc: 'Days for which imports and their rejected lines are kept.',
  }),
  deleteAttemptsAfterDays: days({
    env: 'CLEANUP_WEBHOOK_DAYS',
    yaml: 'cleanup.delete_webhook_attempts_after_days',
    default: 30,
    doc: 'Days for which attempts to call webhooks are kept.',
  }),
  deleteReportsAfterDays: integerVariable({
    env: 'CLEANUP_REPORT_DAYS',
    yaml: 'cleanup.delete_reports_after_days',
    default: 90,
    min: 0,
    max: MAX_DAYS,
    doc: 'Days for which rejected reports of agents, and files in archive/ and rejected/ of the backup inbox are kept. 0: for good.',
  }),
  deleteQuarantineAfterDays: integerVariable({
    env: 'CLEANUP_QUARANTINE_DAYS',
    yaml: 'cleanup.delete_quarantine_after_days',
    default: 365,
    min: 0,
    max: MAX_DAYS,
    doc: 'Days for which files in quarantine/ of the backup inbox are kept. 0: for good.',
  }),
  archiveBeforeDelete: switchVariable({
    env: 'CLEANUP_ARCHIVE',
    yaml: 'cleanup.archive_before_delete',
    default: true,
    doc: 'On: the cleanup writes what it deletes into archives below VIGIE_DATA_DIR first, which all workers must share. Off: it deletes without an archive.',
  }),
};

function days(written: { env: string; yaml: string; default: number; doc: string }) {
  return integerVariable({ ...written, min: 1, max: MAX_DAYS });
}
