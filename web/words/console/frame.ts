/** A failed request, in the shape of `RequestError` in web/client. */
interface Fault {
  reason?: unknown;
  code?: unknown;
  problem?: { detail?: string; errors?: { pointer: string; detail: string }[] } | null;
}

/** Turns a server error into a sentence for people. An unknown code gets the general sentence. */
function faultOf(codes: Readonly<Record<string, string>>, reasons: Readonly<Record<string, string>>) {
  return (error: unknown): string => {
    const { code, reason } = (error ?? {}) as Fault;
    return codes[String(code)] ?? reasons[String(reason)] ?? reasons.unknown ?? '';
  };
}

export const en = {
  product: 'Vigie',
  skip: 'Skip to the content',
  menu: 'Menu',
  nav: {
    label: 'Pages',
    today: 'Today',
    due_items: 'Deadlines',
    backups: 'Backups',
    alerts: 'Alerts',
    notifications: 'Notifications',
    people: 'People',
    settings: 'Settings',
    operator: 'Operations',
  },
  search: 'Search deadlines, documents and tasks',
  live: { live: 'Live', connecting: 'Connecting…', lost: 'Connection lost' },
  live_age: (age: string): string => `last answer ${age}`,
  zone: 'Time zone',
  zone_tenant: (zone: string): string => `Organization (${zone})`,
  zone_mine: (zone: string): string => `Mine (${zone})`,
  zone_utc: 'UTC',
  account: 'Account',
  my_account: 'My account',
  operator_name: 'Operator',
  sign_out: 'Sign out',
  loading: 'Loading…',
  retry: 'Try again',
  labelled: (label: string, text: string): string => `${label}: ${text}`,
  close: 'Close',
  cancel: 'Cancel',
  undo: 'Undo',
  not_found: 'This page does not exist',
  not_found_hint: 'It may have been moved, or you have no access to it.',
  to_start: 'Go to the home page',
  expired_title: 'Your session has ended',
  expired_text: 'Sign in again to continue where you were. Nothing on this page is lost.',
  faultOf: faultOf(
    {
      forbidden: 'You are not allowed to do that.',
      not_found: 'It does not exist, or no longer exists.',
      conflict: 'That is no longer possible: somebody may have changed it in the meantime.',
      count_changed: 'The list has changed in the meantime. Check it, then try again.',
      rate_limited: 'Too many requests. Try again in a minute.',
      too_many_attempts: 'Too many attempts. Wait a few minutes, then try again.',
      invalid_credentials: 'The address or the password is wrong.',
      tenant_suspended: 'Your organization is suspended.',
      validation_failed: 'Something in the form is not valid.',
      limit_reached: 'Your organization has reached a limit.',
      cookie_refused: 'This browser refuses the cookies of this page. Allow them, then sign in again.',
    },
    {
      network: 'The server does not answer.',
      auth: 'Your session has ended.',
      incompatible: 'This page does not work with this version of the server. Reload it.',
      unknown: 'That did not work.',
    },
  ),
  list: {
    filters: 'Filters',
    search: 'Search',
    since: 'From',
    until: 'To',
    clear: 'Clear the filters',
    select_all: 'Select all shown',
    select_row: (name: string): string => `Select ${name}`,
    selected: (n: string): string => `${n} selected`,
    select_matching: (n: string): string => `Select all ${n} results`,
    clear_selection: 'Clear the selection',
    more: 'Show more',
    shown_of: (shown: string, all: string): string => `${shown} of ${all}`,
    shown: (shown: string): string => `${shown} shown`,
    csv: 'CSV of what is shown',
    csv_short: 'CSV',
    checked: (at: string): string => `Checked at ${at}.`,
  },
};

/** The words that the frame and all pages share. */
export type FrameWords = typeof en;

export const fr: FrameWords = {
  product: 'Vigie',
  skip: 'Aller au contenu',
  menu: 'Menu',
  nav: {
    label: 'Pages',
    today: 'Aujourd’hui',
    due_items: 'Échéances',
    backups: 'Sauvegardes',
    alerts: 'Alertes',
    notifications: 'Notifications',
    people: 'Personnes',
    settings: 'Réglages',
    operator: 'Exploitation',
  },
  search: 'Rechercher une échéance, un document, une tâche',
  live: { live: 'En direct', connecting: 'Connexion…', lost: 'Connexion perdue' },
  live_age: (age) => `dernière réponse ${age}`,
  zone: 'Fuseau horaire',
  zone_tenant: (zone) => `Organisation (${zone})`,
  zone_mine: (zone) => `Le mien (${zone})`,
  zone_utc: 'UTC',
  account: 'Compte',
  my_account: 'Mon compte',
  operator_name: 'Exploitant',
  sign_out: 'Se déconnecter',
  loading: 'Chargement…',
  retry: 'Réessayer',
  labelled: (label, text) => `${label}\u00a0: ${text}`,
  close: 'Fermer',
  cancel: 'Annuler',
  undo: 'Annuler',
  not_found: 'Cette page n’existe pas',
  not_found_hint: 'Elle a pu être déplacée, ou vous n’y avez pas accès.',
  to_start: 'Aller à l’accueil',
  expired_title: 'Votre session a expiré',
  expired_text: 'Reconnectez-vous pour continuer où vous étiez. Rien n’est perdu sur cette page.',
  faultOf: faultOf(
    {
      forbidden: 'Vous n’avez pas ce droit.',
      not_found: 'Cet élément n’existe pas, ou n’existe plus.',
      conflict: 'Ce n’est plus possible : quelqu’un l’a peut-être modifié entre-temps.',
      count_changed: 'La liste a changé entre-temps. Vérifiez-la, puis recommencez.',
      rate_limited: 'Trop de requêtes. Réessayez dans une minute.',
      too_many_attempts: 'Trop d’essais. Attendez quelques minutes, puis réessayez.',
      invalid_credentials: 'L’adresse ou le mot de passe est incorrect.',
      tenant_suspended: 'Votre organisation est suspendue.',
      validation_failed: 'Une saisie n’est pas valable.',
      limit_reached: 'Votre organisation a atteint une limite.',
      cookie_refused:
        'Ce navigateur refuse les cookies de cette page. Autorisez-les, puis connectez-vous à nouveau.',
    },
    {
      network: 'Le serveur ne répond pas.',
      auth: 'Votre session a expiré.',
      incompatible: 'Cette page ne fonctionne pas avec cette version du serveur. Rechargez-la.',
      unknown: 'L’action n’a pas abouti.',
    },
  ),
  list: {
    filters: 'Filtres',
    search: 'Rechercher',
    since: 'Du',
    until: 'Au',
    clear: 'Effacer les filtres',
    select_all: 'Sélectionner tout ce qui est affiché',
    select_row: (name) => `Sélectionner ${name}`,
    selected: (n) => (n === '1' ? '1 sélectionné' : `${n} sélectionnés`),
    select_matching: (n) => `Sélectionner les ${n} résultats`,
    clear_selection: 'Effacer la sélection',
    more: 'Afficher la suite',
    shown_of: (shown, all) => `${shown} sur ${all}`,
    shown: (shown) => `${shown} ${shown === '0' || shown === '1' ? 'affiché' : 'affichés'}`,
    csv: 'CSV de ce qui est affiché',
    csv_short: 'CSV',
    checked: (at) => `Vérifié à ${at}.`,
  },
};
