import { REASONS_EN, REASONS_FR } from '../reasons.js';

export const en = {
  title: 'Alerts',
  caption: 'Alerts of the organization',
  states: { open: 'Open', snoozed: 'Snoozed', acknowledged: 'Handled', resolved: 'Resolved' },
  all: 'All',
  state: 'State',
  kind: 'Kind',
  severity: 'Severity',
  severities: { critical: 'Urgent', warning: 'Important', info: 'For information' },
  search: 'Title, client, database, agent or city',
  since: 'From',
  until: 'Until',
  columns: { first_seen: 'Since', title: 'Alert', state: 'State', who: 'Handled by', occurrences: 'Seen' },
  times: (n: string): string => (n === '1' ? 'once' : `${n} times`),
  nobody: 'nobody',
  a_program: 'a program',
  snoozed_until: (when: string): string => `until ${when}`,
  ended: 'it has cleared',
  silenced: 'silenced until it clears',
  acts: 'Actions',
  acknowledge: 'Mark as handled',
  unacknowledge: 'Mark as not handled',
  snooze: 'Snooze',
  unsnooze: 'End the snooze',
  resolve: 'Silence',
  snooze_choices: {
    hour: 'Snooze for an hour',
    tonight: 'Snooze until this evening',
    tomorrow: 'Snooze until tomorrow',
    monday: 'Snooze until Monday',
  },
  done: {
    acknowledge: 'Marked as handled. Nobody is notified again until it clears.',
    unacknowledge: 'Not handled any more. Messages that were held back are sent.',
    snooze: 'Snoozed. Nobody is notified until then.',
    unsnooze: 'The snooze has ended.',
    resolve: 'Silenced until it clears.',
  },
  bulk: {
    acknowledge_title: (n: string): string =>
      n === '1' ? 'Mark this alert as handled?' : `Mark ${n} alerts as handled?`,
    acknowledge_text: (n: string): string =>
      n === '1'
        ? 'Nobody is notified of this alert again until it clears.'
        : `Nobody is notified of these ${n} alerts again until they clear.`,
    snooze_title: (n: string): string =>
      n === '1' ? 'Snooze this alert until tomorrow?' : `Snooze ${n} alerts until tomorrow?`,
    snooze_text: (n: string): string =>
      n === '1'
        ? 'Nobody is notified of this alert before tomorrow.'
        : `Nobody is notified of these ${n} alerts before tomorrow.`,
    resolve_title: (n: string): string => (n === '1' ? 'Silence this alert?' : `Silence ${n} alerts?`),
    resolve_text: (n: string): string =>
      n === '1'
        ? 'Nobody is notified of this alert again until it clears. This cannot be undone.'
        : `Nobody is notified of these ${n} alerts again until they clear. This cannot be undone.`,
    snooze: 'Snooze until tomorrow',
    done: (n: string): string => (n === '1' ? 'Done for one alert.' : `Done for ${n} alerts.`),
  },
  resolve_title: 'Silence this alert?',
  resolve_text: 'Nobody is notified of this alert again until it clears. This cannot be undone.',
  empty: 'No alerts: everything that Vigie watches is in order.',
  empty_filtered: 'No alert matches these filters.',
  back: 'All alerts',
  facts: {
    state: 'State',
    since: 'First seen',
    last_seen: 'Last seen',
    occurrences: 'Found',
    who: 'Handled by',
    gone: 'Cleared',
    source: 'About',
  },
  sources: { backup_job: 'The backup', deadline: 'The deadline', document: 'The document', task: 'The task' },
  notified: 'Who was notified',
  nobody_notified: 'Nobody was notified of this alert.',
  notified_at: (when: string): string => `notified ${when}`,
  address_hidden: 'an address outside the organization',
  feed_only: 'in the inbox only',
  not_sent: 'not sent',
  channels: { email: 'E-mail', sms: 'Text message', push: 'Push', webhook: 'Webhook' },
  waits_until: (when: string): string => `waits until ${when}`,
  arrived: (when: string): string => `arrived ${when}`,
  reasons: REASONS_EN,
};

export type AlertWords = typeof en;

export const fr: AlertWords = {
  title: 'Alertes',
  caption: 'Alertes de l’organisation',
  states: { open: 'Ouverte', snoozed: 'Reportée', acknowledged: 'Traitée', resolved: 'Clôturée' },
  all: 'Toutes',
  state: 'État',
  kind: 'Type',
  severity: 'Gravité',
  severities: { critical: 'Urgent', warning: 'Important', info: 'Pour information' },
  search: 'Titre, client, base, agent ou ville',
  since: 'Du',
  until: 'Au',
  columns: {
    first_seen: 'Depuis',
    title: 'Alerte',
    state: 'État',
    who: 'Traitée par',
    occurrences: 'Vue',
  },
  times: (n) => `${n} fois`,
  nobody: 'personne',
  a_program: 'un programme',
  snoozed_until: (when) => `jusqu’au ${when}`,
  ended: 'le problème a disparu',
  silenced: 'en sourdine jusqu’à ce que le problème disparaisse',
  acts: 'Actions',
  acknowledge: 'C’est traité',
  unacknowledge: 'Pas encore traité',
  snooze: 'Reporter',
  unsnooze: 'Annuler le report',
  resolve: 'Mettre en sourdine',
  snooze_choices: {
    hour: 'Reporter d’une heure',
    tonight: 'Reporter à ce soir',
    tomorrow: 'Reporter à demain',
    monday: 'Reporter à lundi',
  },
  done: {
    acknowledge: 'Marquée comme traitée. Plus personne n’est prévenu tant que le problème dure.',
    unacknowledge: 'Pas encore traitée. Les messages retenus sont envoyés.',
    snooze: 'Reportée. Personne n’est prévenu d’ici là.',
    unsnooze: 'Le report est annulé.',
    resolve: 'En sourdine jusqu’à ce que le problème disparaisse.',
  },
  bulk: {
    acknowledge_title: (n) =>
      n === '1' ? 'Marquer cette alerte comme traitée ?' : `Marquer ${n} alertes comme traitées ?`,
    acknowledge_text: (n) =>
      n === '1'
        ? 'Plus personne n’est prévenu de cette alerte tant que le problème dure.'
        : `Plus personne n’est prévenu de ces ${n} alertes tant que les problèmes durent.`,
    snooze_title: (n) =>
      n === '1' ? 'Reporter cette alerte à demain ?' : `Reporter ${n} alertes à demain ?`,
    snooze_text: (n) =>
      n === '1'
        ? 'Personne n’est prévenu de cette alerte avant demain.'
        : `Personne n’est prévenu de ces ${n} alertes avant demain.`,
    resolve_title: (n) =>
      n === '1' ? 'Mettre cette alerte en sourdine ?' : `Mettre ${n} alertes en sourdine ?`,
    resolve_text: (n) =>
      n === '1'
        ? 'Plus personne n’est prévenu de cette alerte tant que le problème dure. C’est définitif.'
        : `Plus personne n’est prévenu de ces ${n} alertes tant que les problèmes durent. C’est définitif.`,
    snooze: 'Reporter à demain',
    done: (n) => (n === '1' ? 'C’est fait pour une alerte.' : `C’est fait pour ${n} alertes.`),
  },
  resolve_title: 'Mettre cette alerte en sourdine ?',
  resolve_text: 'Plus personne n’est prévenu d’une alerte tant que le problème dure. C’est définitif.',
  empty: 'Aucune alerte : tout ce que Vigie surveille est en ordre.',
  empty_filtered: 'Aucune alerte ne correspond à ces filtres.',
  back: 'Toutes les alertes',
  facts: {
    state: 'État',
    since: 'Vue la première fois',
    last_seen: 'Vue la dernière fois',
    occurrences: 'Constatée',
    who: 'Traitée par',
    gone: 'Disparue',
    source: 'À propos de',
  },
  sources: { backup_job: 'La sauvegarde', deadline: 'L’échéance', document: 'Le document', task: 'La tâche' },
  notified: 'Qui a été prévenu',
  nobody_notified: 'Personne n’a été prévenu de cette alerte.',
  notified_at: (when) => `prévenu ${when}`,
  address_hidden: 'une adresse hors de l’organisation',
  feed_only: 'dans la boîte de réception seulement',
  not_sent: 'non envoyé',
  channels: { email: 'E-mail', sms: 'SMS', push: 'Push', webhook: 'Webhook' },
  waits_until: (when) => `attend jusqu’au ${when}`,
  arrived: (when) => `arrivé ${when}`,
  reasons: REASONS_FR,
};
