/** The name of each kind of notification. An unknown kind, from a newer server, is shown by its code. */
const en: Readonly<Record<string, string>> = {
  deadline_near: 'Deadlines',
  documents_missing: 'Missing documents',
  tasks_overdue: 'Late tasks',
  weekly_summary: 'Weekly summary',
  welcome: 'Welcome',
  password_reset: 'New password',
  password_changed: 'Password changed',
  email_changed: 'Address changed',
  test: 'Test mail',
  event: 'Events from programs',
  message: 'Messages',
  reminder: 'Reminders',
  backup_alert: 'Backup problems',
  backup_recovered: 'Recovered backups',
  backup_damaged: 'Damaged backups',
  backup_report_rejected: 'Rejected backup reports',
  backup_agent_silent: 'Silent agents',
  backup_agent_back: 'Agents back',
  webhook_failing: 'Failing webhooks',
  webhook_disabled: 'Disabled webhooks',
  address_stopped: 'Stopped addresses',
};

const fr: Readonly<Record<string, string>> = {
  deadline_near: 'Échéances',
  documents_missing: 'Documents manquants',
  tasks_overdue: 'Tâches en retard',
  weekly_summary: 'Résumé hebdomadaire',
  welcome: 'Bienvenue',
  password_reset: 'Nouveau mot de passe',
  password_changed: 'Mot de passe changé',
  email_changed: 'Adresse changée',
  test: 'E-mail de test',
  event: 'Événements de programmes',
  message: 'Messages',
  reminder: 'Rappels',
  backup_alert: 'Problèmes de sauvegarde',
  backup_recovered: 'Sauvegardes rétablies',
  backup_damaged: 'Sauvegardes abîmées',
  backup_report_rejected: 'Rapports de sauvegarde refusés',
  backup_agent_silent: 'Agents muets',
  backup_agent_back: 'Agents de retour',
  webhook_failing: 'Webhooks en échec',
  webhook_disabled: 'Webhooks désactivés',
  address_stopped: 'Adresses bloquées',
};

/** The kinds that have a name here. */
export const NAMED_KINDS: readonly string[] = Object.keys(en);

/** The name of a kind for people. */
export function kindName(locale: 'fr' | 'en', kind: string): string {
  return (locale === 'fr' ? fr : en)[kind] ?? kind;
}
