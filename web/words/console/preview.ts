const count = (n: number, one: string, many: string, locale: string): string =>
  `${new Intl.NumberFormat(locale).format(n)} ${n === 1 || (locale === 'fr' && n === 0) ? one : many}`;
const e = (n: number, one: string, many: string): string => count(n, one, many, 'en');
const f = (n: number, one: string, many: string): string => count(n, one, many, 'fr');

type Codes = Readonly<Record<string, string>>;

/** The words of the preview of a day. */
export const en = {
  title: 'What would be sent?',
  note: 'Runs the job for the chosen day without writing or sending anything.',
  back: 'All notifications',
  back_runs: 'The runs of this organization',
  filters: {
    date: 'Day',
    job: 'Job',
    tenant: 'Organization',
    person: 'Person',
    outcome: 'Outcome',
    all: 'All',
  },
  choose_tenant: 'Choose an organization.',
  caption: 'Messages of the day, most urgent first',
  columns: {
    what: 'Notification',
    person: 'Person',
    channel: 'Channel',
    checked: 'Checked at',
    outcome: 'In the preview',
    ran: 'What really happened',
  },
  no_channel: 'No channel',
  nobody: 'Nobody',
  outcomes: {
    leaves: 'Sent immediately',
    waits: 'Waits',
    not_sent: 'Not sent',
    inbox: 'Inbox only',
  } as Codes,
  not_previewed: 'Not in the preview',
  not_ran: 'Not sent at that time',
  until: (when: string): string => `until ${when}`,
  together: (n: number): string => `with ${e(n, 'other', 'others')} in one message`,
  stage: (days: number): string =>
    days === 0
      ? 'on its day'
      : days > 0
        ? `${e(days, 'day', 'days')} before its date`
        : `${e(-days, 'day', 'days')} after its date`,
  manual: 'started manually',
  slots: 'Checks of the day',
  ran_at: 'ran',
  would_run: 'planned',
  schedule_off: 'the schedule is off',
  nothing_found: 'nothing to announce',
  slot_count: (n: number): string => e(n, 'run on this day', 'runs on this day'),
  figures: {
    messages: (n: number): string => e(n, 'message', 'messages'),
    recipients: (n: number): string => e(n, 'recipient', 'recipients'),
    waits: (n: number): string => e(n, 'waits', 'wait'),
    not_sent: (n: number): string => `${n} not sent`,
    both: (n: number): string => `${n} as it ran`,
    only_previewed: (n: number): string => `${n} only in the preview`,
    only_ran: (n: number): string => `${n} only as it ran`,
  },
  empty: (job: string, date: string): string => `“${job}” on ${date}: nobody would be notified.`,
  empty_counts: (counts: string): string => `It would find: ${counts}.`,
  no_slots: (job: string, date: string): string => `“${job}” does not run on ${date}.`,
  empty_filtered: 'No message matches these filters.',
  truncated: 'Only the first messages are shown: there are more, or the day could not be computed in time.',
  changes: 'Items that become late',
  changes_columns: { item: 'Item', due: 'Due', status: 'Status' },
  statuses: { overdue: 'late', open: 'open', pending: 'open', missing: 'awaited' } as Codes,
  expected: (n: number): string => `${e(n, 'backup is', 'backups are')} expected on this day`,
  supposes: 'Assumptions',
  assumptions: {
    present_state: 'Items, people and settings stay as they are now.',
    sent_until_now: 'What was announced until now stays announced. The days in between are left out.',
    no_other_messages: 'No other message waits for the same people, and the channels work.',
    rewound: 'What was announced since the first check shown is ignored.',
    not_rewound: 'Past runs of this job cannot be simulated: past checks show only what really happened.',
    no_report_arrives: 'No report arrives for the backups that are expected then.',
    too_far_away: 'The day is more than 400 days away: only the times are shown, and nothing was computed.',
  } as Codes,
  file: 'preview',
};

export type PreviewWords = typeof en;

export const fr: PreviewWords = {
  title: 'Qu’est-ce qui partirait ?',
  note: 'Exécute la tâche pour le jour choisi, sans rien écrire ni envoyer.',
  back: 'Toutes les notifications',
  back_runs: 'Les exécutions de cette organisation',
  filters: {
    date: 'Jour',
    job: 'Tâche',
    tenant: 'Organisation',
    person: 'Personne',
    outcome: 'Résultat',
    all: 'Toutes',
  },
  choose_tenant: 'Choisissez une organisation.',
  caption: 'Messages du jour, les plus graves d’abord',
  columns: {
    what: 'Notification',
    person: 'Personne',
    channel: 'Canal',
    checked: 'Vérifié à',
    outcome: 'Dans l’aperçu',
    ran: 'Ce qui s’est passé',
  },
  no_channel: 'Aucun canal',
  nobody: 'Personne',
  outcomes: {
    leaves: 'Part aussitôt',
    waits: 'Attend',
    not_sent: 'Non envoyé',
    inbox: 'Boîte de réception seulement',
  },
  not_previewed: 'Absent de l’aperçu',
  not_ran: 'Non envoyé alors',
  until: (when) => `jusqu’au ${when}`,
  together: (n) => `avec ${f(n, 'autre', 'autres')} en un message`,
  stage: (days) =>
    days === 0
      ? 'le jour même'
      : days > 0
        ? `${f(days, 'jour', 'jours')} avant la date`
        : `${f(-days, 'jour', 'jours')} après la date`,
  manual: 'lancée à la demande',
  slots: 'Vérifications du jour',
  ran_at: 'exécutée',
  would_run: 'prévue',
  schedule_off: 'la planification est arrêtée',
  nothing_found: 'rien à annoncer',
  slot_count: (n) => f(n, 'exécution ce jour-là', 'exécutions ce jour-là'),
  figures: {
    messages: (n) => f(n, 'message', 'messages'),
    recipients: (n) => f(n, 'destinataire', 'destinataires'),
    waits: (n) => f(n, 'attend', 'attendent'),
    not_sent: (n) => f(n, 'non envoyé', 'non envoyés'),
    both: (n) => f(n, 'conforme', 'conformes'),
    only_previewed: (n) => f(n, 'dans l’aperçu seulement', 'dans l’aperçu seulement'),
    only_ran: (n) => f(n, 'en réalité seulement', 'en réalité seulement'),
  },
  empty: (job, date) => `« ${job} », ${date} : personne ne serait prévenu.`,
  empty_counts: (counts) => `La vérification trouverait : ${counts}.`,
  no_slots: (job, date) => `« ${job} » n’a pas lieu ${date}.`,
  empty_filtered: 'Aucun message ne correspond à ces filtres.',
  truncated:
    'Seuls les premiers messages sont affichés : il y en a d’autres, ou la journée n’a pas pu être calculée à temps.',
  changes: 'Éléments qui passent en retard',
  changes_columns: { item: 'Élément', due: 'Date', status: 'État' },
  statuses: { overdue: 'en retard', open: 'ouvert', pending: 'ouvert', missing: 'attendu' },
  expected: (n) => f(n, 'sauvegarde est attendue ce jour-là', 'sauvegardes sont attendues ce jour-là'),
  supposes: 'Hypothèses',
  assumptions: {
    present_state: 'Les éléments, les personnes et les réglages sont ceux de maintenant.',
    sent_until_now: 'Ce qui a été annoncé jusqu’ici le reste. Les jours intermédiaires sont omis.',
    no_other_messages: 'Aucun autre message n’attend pour ces personnes, et les canaux fonctionnent.',
    rewound: 'Ce qui a été annoncé depuis la première vérification affichée est ignoré.',
    not_rewound:
      'Cette tâche ne peut pas être rejouée : les vérifications passées montrent ce qui a eu lieu.',
    no_report_arrives: 'Aucun rapport n’arrive pour les sauvegardes attendues ce jour-là.',
    too_far_away: 'Ce jour est à plus de 400 jours : seules les heures sont affichées, rien n’a été calculé.',
  },
  file: 'apercu',
};
