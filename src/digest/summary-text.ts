import type { NotificationData } from '../contracts/kinds.js';
import type { Locale } from '../contracts/locales.js';

type Totals = NotificationData['weekly_summary']['totals'];

const WORDS: Record<Locale, { week: string; of: string; names: Record<keyof Totals, [string, string]> }> = {
  fr: {
    week: 'Votre semaine :',
    of: 'Semaine du',
    names: {
      deadlines: ['échéance', 'échéances'],
      documents: ['document attendu', 'documents attendus'],
      tasks: ['tâche', 'tâches'],
    },
  },
  en: {
    week: 'Your week:',
    of: 'Week of',
    names: {
      deadlines: ['deadline', 'deadlines'],
      documents: ['document expected', 'documents expected'],
      tasks: ['task', 'tasks'],
    },
  },
};

/**
 * What a summary is called in the feed; what there is none of is not named.
 * @param week_of civil date of its Monday
 */
export function summaryText(
  locale: Locale,
  week_of: string,
  totals: Totals,
): { title: string; body: string } {
  const { week, of, names } = WORDS[locale];
  const parts = (['deadlines', 'documents', 'tasks'] as const)
    .filter((list) => totals[list] > 0)
    .map((list) => `${totals[list]} ${names[list][totals[list] === 1 ? 0 : 1]}`);
  // A civil date has no zone: it is written as the day it is.
  const monday = new Intl.DateTimeFormat(locale === 'fr' ? 'fr-FR' : 'en-GB', {
    dateStyle: 'long',
    timeZone: 'UTC',
  }).format(Date.parse(`${week_of}T00:00:00Z`));
  return { title: `${week} ${parts.join(', ')}`, body: `${of} ${monday}` };
}
