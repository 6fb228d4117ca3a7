import type { BackupReason, FailingVerdict } from '../../contracts/backups.js';
import type { BackupFacts } from './backup-data.js';
import type { Locale } from '../../contracts/locales.js';
import { DAMAGE, type Damage, REASONS, RECOVERED, type Text } from './incident-texts.js';

/** Title and body of what is told, in each language. The title is the mail's subject. */
export interface Words {
  title: Record<Locale, string>;
  /** Two paragraphs: what happened, and what to do. */
  body: Record<Locale, string>;
}

/** Of a verdict that came without a reason. */
const USUAL: Record<FailingVerdict, BackupReason> = {
  FAILED: 'agent_failed',
  TRANSFER_INTEGRITY_FAILED: 'agent_transfer_failed',
  HASH_MISMATCH: 'hash_differs',
  MISSING: 'no_report',
};

const ALERT: Record<Locale, string> = { fr: 'ALERTE SAUVEGARDE', en: 'BACKUP ALERT' };
const RECOVERY: Record<Locale, string> = { fr: 'SAUVEGARDE RÉTABLIE', en: 'BACKUP RECOVERED' };

export function alertWords(facts: BackupFacts & { verdict: FailingVerdict }): Words {
  const { database_name, verdict } = facts;
  const reason = facts.reason ?? USUAL[verdict];
  return {
    title: inEach((locale) => `${ALERT[locale]} - ${database_name} - ${verdict.replaceAll('_', ' ')}`),
    body: bodyOf(facts, (locale) => REASONS[locale][reason]),
  };
}

export function recoveredWords(facts: BackupFacts): Words {
  const how = facts.warning ?? 'well';
  return {
    title: inEach((locale) => `${RECOVERY[locale]} - ${facts.database_name}`),
    body: bodyOf(facts, (locale) => RECOVERED[locale][how]),
  };
}

/** Of a backup in the final storage that is no longer what was stored. */
export function damagedWords(facts: BackupFacts, damage: Damage): Words {
  return {
    title: inEach((locale) => `${ALERT[locale]} - ${facts.database_name} - ${DAMAGE[locale][damage].title}`),
    body: bodyOf(facts, (locale) => DAMAGE[locale][damage]),
  };
}

function bodyOf(facts: BackupFacts, textOf: (locale: Locale) => Text): Words['body'] {
  return inEach((locale) => {
    const { what, todo } = textOf(locale);
    // By functions: a name may hold what replaceAll reads as a pattern.
    const sentence = what
      .replaceAll('{backup}', () => backupOf(facts, locale))
      .replaceAll('{time}', () => facts.expected_time ?? '');
    return `${sentence}\n\n${todo}`;
  });
}

function backupOf({ agent_id, database_name, company_name, city }: BackupFacts, locale: Locale): string {
  const where = `(agent ${agent_id}, ${company_name}, ${city})`;
  return locale === 'fr'
    ? `la base «\u00a0${database_name}\u00a0» ${where}`
    : `the database “${database_name}” ${where}`;
}

function inEach(word: (locale: Locale) => string): Record<Locale, string> {
  return { fr: word('fr'), en: word('en') };
}
