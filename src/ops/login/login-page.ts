import type { Locale } from '../../contracts/locales.js';
import { PAGE_STYLE } from '../../platform/http/page.js';

const WORDS = {
  fr: {
    title: 'Connexion des opérateurs',
    intro: 'Pour consulter les files d’attente de cette installation.',
    email: 'Adresse e-mail',
    password: 'Mot de passe',
    submit: 'Se connecter',
    wrong: 'L’adresse ou le mot de passe est incorrect.',
    too_many: (seconds: number) => `Trop d’essais. Réessayez dans ${duration(seconds, 'fr')}.`,
    foreign: 'Cette demande venait d’une autre page. Connectez-vous ici.',
    signed_in_title: 'Vous êtes connecté',
    signed_in: (email: string) => `En tant que <strong>${escaped(email)}</strong>.`,
    open: 'Voir les files d’attente',
    log_out: 'Se déconnecter',
    out: 'Vous êtes déconnecté.',
  },
  en: {
    title: 'Operator sign-in',
    intro: 'To look at the queues of this installation.',
    email: 'E-mail address',
    password: 'Password',
    submit: 'Sign in',
    wrong: 'The address or the password is wrong.',
    too_many: (seconds: number) => `Too many attempts. Try again in ${duration(seconds, 'en')}.`,
    foreign: 'That request came from another page. Sign in here.',
    signed_in_title: 'You are signed in',
    signed_in: (email: string) => `As <strong>${escaped(email)}</strong>.`,
    open: 'See the queues',
    log_out: 'Sign out',
    out: 'You are signed out.',
  },
} as const;

/** What the page has to say besides its form. */
export type LoginMessage =
  { wrong: true; email: string } | { foreign: true } | { out: true } | { too_many_seconds: number };

const STYLE = `${PAGE_STYLE}
input[type=email] { width: 100%; min-height: 46px; padding: 8px 12px; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: 8px; }
#problem { margin: 0 0 8px; }
.note { margin: 0 0 8px; color: var(--good); font-weight: 600; }
a.button { display: block; min-height: 48px; margin-top: 20px; padding: 12px 20px; border-radius: 8px;
  font-weight: 600; text-align: center; text-decoration: none; color: var(--on-accent); background: var(--accent); }
button.second { color: var(--accent); background: transparent; border: 1px solid var(--accent); }
strong { overflow-wrap: anywhere; }
`;

/** The page on which operators sign in. It needs no script. */
export function loginPage(locale: Locale, nonce: string, message: LoginMessage | null): string {
  const words = WORDS[locale];
  const email = message !== null && 'wrong' in message ? message.email : '';
  // Whoever mistyped the password goes on there.
  const focus = (here: boolean) => (here ? ' autofocus' : '');
  return page(
    locale,
    nonce,
    words.title,
    `<p>${words.intro}</p>
${messageHtml(locale, message)}<form method="post" action="/ops/login">
<label for="email">${words.email}</label>
<input type="email" id="email" name="email" autocomplete="username" maxlength="254" required
 value="${escaped(email)}"${focus(email === '')}>
<label for="password">${words.password}</label>
<input type="password" id="password" name="password" autocomplete="current-password" maxlength="200"
 required${focus(email !== '')}>
<button>${words.submit}</button>
</form>`,
  );
}

/** The same address, for who is signed in. */
export function signedInPage(locale: Locale, nonce: string, email: string): string {
  const words = WORDS[locale];
  return page(
    locale,
    nonce,
    words.signed_in_title,
    `<p>${words.signed_in(email)}</p>
<a class="button" href="/ops/queues">${words.open}</a>
<form method="post" action="/ops/logout"><button class="second">${words.log_out}</button></form>`,
  );
}

function page(locale: Locale, nonce: string, title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} - Vigie</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<p class="brand">Vigie</p>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}

function messageHtml(locale: Locale, message: LoginMessage | null): string {
  if (message === null) return '';
  const words = WORDS[locale];
  if ('out' in message) return `<p class="note" role="status">${words.out}</p>\n`;
  const text =
    'wrong' in message
      ? words.wrong
      : 'foreign' in message
        ? words.foreign
        : words.too_many(message.too_many_seconds);
  return `<p id="problem" role="alert">${text}</p>\n`;
}

function duration(seconds: number, locale: Locale): string {
  const [value, unit] = seconds < 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
