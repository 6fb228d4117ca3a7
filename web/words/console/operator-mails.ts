/** The words of the mails that a mail catcher received, in development. */
export const en = {
  title: 'Caught mails',
  note: 'What the mail catcher of this machine received, newest first, at most 500. Nothing was delivered.',
  off: 'No mail catcher is set up. In development, vigie mail-catcher --folder keeps mails, and CAUGHT_MAILS_DIR shows them here.',
  empty: 'No mail has arrived yet.',
  received_at: 'Received',
  to: 'To',
  from: 'From',
  subject: 'Subject',
  no_subject: 'No subject',
  back: 'All caught mails',
  gone: 'This mail is not here',
  gone_hint: 'The mail catcher keeps the newest 500.',
  view: 'View as',
  views: { html: 'Mail', text: 'Text', headers: 'Headers' },
  no_text: 'This mail has no text.',
};

export type CaughtMailWords = typeof en;

export const fr: CaughtMailWords = {
  title: 'E-mails interceptés',
  note: 'Ce que l’intercepteur d’e-mails de cette machine a reçu, du plus récent au plus ancien, 500 au plus. Rien n’a été distribué.',
  off: 'Aucun intercepteur d’e-mails n’est configuré. En développement, vigie mail-catcher --folder garde les e-mails, et CAUGHT_MAILS_DIR les montre ici.',
  empty: 'Aucun e-mail n’est encore arrivé.',
  received_at: 'Reçu',
  to: 'À',
  from: 'De',
  subject: 'Objet',
  no_subject: 'Sans objet',
  back: 'Tous les e-mails interceptés',
  gone: 'Cet e-mail n’est pas ici',
  gone_hint: 'L’intercepteur garde les 500 plus récents.',
  view: 'Afficher',
  views: { html: 'E-mail', text: 'Texte', headers: 'En-têtes' },
  no_text: 'Cet e-mail n’a pas de texte.',
};
