/** What the counts of runs mean, by the names that jobs give them; those of a clean-up are of what it deleted. */
export type RunCountWords = Readonly<Record<string, (n: number) => string>>;

const count = (n: number, one: string, many: string, locale: string): string =>
  `${new Intl.NumberFormat(locale).format(n)} ${n === 1 || (locale === 'fr' && n === 0) ? one : many}`;
const e = (one: string, many: string) => (n: number) => count(n, one, many, 'en');
const f = (one: string, many: string) => (n: number) => count(n, one, many, 'fr');
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
const size = (locale: string) => (n: number) => {
  const power = n < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(n) / 3));
  const unit = UNITS[power] ?? 'byte';
  const format = { style: 'unit', unit, maximumSignificantDigits: 3 } as const;
  return new Intl.NumberFormat(locale, format).format(n / 1_000 ** power);
};

export const RUN_COUNTS_EN: RunCountWords = {
  facts: e('fact', 'facts'),
  opened: e('new', 'new'),
  staged: e('announced again', 'announced again'),
  woken: e('snooze ended', 'snoozes ended'),
  repeated: e('known already, not announced again', 'known already, not announced again'),
  gone: e('settled', 'settled'),
  notifications: e('notification', 'notifications'),
  deliveries: e('message', 'messages'),
  users: e('person', 'people'),
  alerts: e('alert', 'alerts'),
  recovered: e('recovered', 'recovered'),
  not_announced: e('not announced', 'not announced'),
  reminded: e('reminder', 'reminders'),
  sent: e('sent', 'sent'),
  reports: e('report', 'reports'),
  rejected: e('report refused', 'reports refused'),
  archived: e('report archived', 'reports archived'),
  entries: e('result', 'results'),
  files: e('file', 'files'),
  bytes: size('en'),
  success: e('good', 'good'),
  failed: e('failed', 'failed'),
  transfer_integrity_failed: e('damaged in transfer', 'damaged in transfer'),
  hash_mismatch: e('with wrong content', 'with wrong content'),
  missing: e('missing', 'missing'),
  still_written: e('still being written', 'still being written'),
  quarantined: e('in quarantine', 'in quarantine'),
  unreadable: e('unreadable', 'unreadable'),
  job_runs: e('run', 'runs'),
  imports: e('import', 'imports'),
  import_rows: e('line of imports', 'lines of imports'),
  sessions: e('session', 'sessions'),
  password_links: e('password link', 'password links'),
  webhook_attempts: e('webhook call', 'webhook calls'),
  backup_reports: e('backup report', 'backup reports'),
  audit_log: e('entry of the log', 'entries of the log'),
  webhook_secrets_renewed: e('secret renewed', 'secrets renewed'),
};

export const RUN_COUNTS_FR: RunCountWords = {
  facts: f('fait', 'faits'),
  opened: f('nouveau', 'nouveaux'),
  staged: f('annoncé à nouveau', 'annoncés à nouveau'),
  woken: f('report terminé', 'reports terminés'),
  repeated: f('déjà connu, non répété', 'déjà connus, non répétés'),
  gone: f('réglé', 'réglés'),
  notifications: f('notification', 'notifications'),
  deliveries: f('message', 'messages'),
  users: f('personne', 'personnes'),
  alerts: f('alerte', 'alertes'),
  recovered: f('rétablie', 'rétablies'),
  not_announced: f('non annoncée', 'non annoncées'),
  reminded: f('rappel', 'rappels'),
  sent: f('envoyé', 'envoyés'),
  reports: f('rapport', 'rapports'),
  rejected: f('rapport refusé', 'rapports refusés'),
  archived: f('rapport archivé', 'rapports archivés'),
  entries: f('résultat', 'résultats'),
  files: f('fichier', 'fichiers'),
  bytes: size('fr'),
  success: f('bonne', 'bonnes'),
  failed: f('en échec', 'en échec'),
  transfer_integrity_failed: f('abîmée au transfert', 'abîmées au transfert'),
  hash_mismatch: f('au contenu différent', 'au contenu différent'),
  missing: f('manquante', 'manquantes'),
  still_written: f('en cours d’écriture', 'en cours d’écriture'),
  quarantined: f('en quarantaine', 'en quarantaine'),
  unreadable: f('illisible', 'illisibles'),
  job_runs: f('exécution', 'exécutions'),
  imports: f('import', 'imports'),
  import_rows: f('ligne d’import', 'lignes d’import'),
  sessions: f('session', 'sessions'),
  password_links: f('lien de mot de passe', 'liens de mot de passe'),
  webhook_attempts: f('appel de webhook', 'appels de webhook'),
  backup_reports: f('rapport de sauvegarde', 'rapports de sauvegarde'),
  audit_log: f('entrée du journal', 'entrées du journal'),
  webhook_secrets_renewed: f('secret renouvelé', 'secrets renouvelés'),
};
