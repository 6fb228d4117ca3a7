import { en as backupsEn, fr as backupsFr } from '../../words/console/backups.js';
import { en as jobsEn, fr as jobsFr } from '../../words/console/backup-jobs.js';
import { en, fr, type ImportWords } from '../../words/console/import.js';
import { wordsIn } from '../context.js';
import { dryRunRequest, headRequest, type ImportRoutes } from '../import/import-api.js';
import { ImportPage, type ImportPlace } from '../import/import-page.js';
import { daysText } from './job-facts.js';

/** `/backups/import`: a file of expected backups. */
export default class BackupImportPage extends ImportPage {
  private get backups() {
    return wordsIn(this.context.locale, { fr: backupsFr, en: backupsEn });
  }

  protected override get words(): ImportWords {
    const { locale } = this.context;
    const { fields, import_words: own } = wordsIn(locale, { fr: jobsFr, en: jobsEn });
    return { ...wordsIn(locale, { fr, en }), fields, ...own };
  }

  protected override get place(): ImportPlace {
    return { listUrl: '/backups', back: this.backups.back, itemUrl: (id) => `/backups/${id}` };
  }

  protected override routesOf(): ImportRoutes {
    const { api } = this.context;
    return {
      kind: 'backup_jobs',
      propose: (head) => api.post('/api/v1/backups/jobs/import/columns', headRequest(head)),
      dryRun: (...file) => api.post('/api/v1/backups/jobs/import', dryRunRequest(...file)),
    };
  }

  protected override valueText(field: string, value: string): string {
    const { format, locale } = this.context;
    if (field === 'days_of_week') return daysText(JSON.parse(value) as number[], this.backups, locale);
    return field === 'grace_minutes' ? format.number(Number(value)) : value;
  }
}
