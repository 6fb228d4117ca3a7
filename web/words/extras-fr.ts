import type { ExtraWords } from './extras-en.js';

/** The words of the menus and forms that the inbox loads when they are first used, in French. */
export const EXTRAS_FR: ExtraWords = {
  snooze_hour: 'Dans une heure',
  snooze_tonight: 'Ce soir',
  snooze_tomorrow: 'Demain',
  snooze_monday: 'Lundi',
  snooze_date: 'À une autre date',
  snooze_apply: 'Reporter',
  save: 'Enregistrer',
  why_kind: (kind) => `Vous recevez « ${kind} » selon vos préférences.`,
  why_required: (kind) => `« ${kind} » est toujours envoyé : il fait suite à une action de votre part.`,
  why_sent: (channel, when) => `${channel} : envoyé le ${when}`,
  why_waits: (channel, when) => `${channel} : envoi prévu le ${when}`,
  why_not_sent: (channel) => `${channel} : non envoyé`,
  why_inbox_only: 'Affichée ici seulement : aucun message n’a été envoyé.',
  audiences: {
    responsible: 'Vous en êtes responsable.',
    unassigned: 'Personne n’en est responsable, et vous êtes administrateur.',
    alert_recipient: 'Vous recevez les alertes de votre organisation.',
    addressed: 'L’expéditeur vous l’a adressée.',
    self: 'Elle vous concerne, ou vous l’avez demandée.',
  },
  quiet_hours: 'Heures calmes',
  quiet_from: 'De',
  quiet_to: 'À',
  channels: { email: 'E-mail', sms: 'SMS', push: 'Push' },
};
