import type { Locale } from '../../contracts/locales.js';
import { PAGE_STYLE, pageHeaders } from '../../platform/http/page.js';

/** The page's words. `script` are those it shows once it knows how it went. */
const WORDS = {
  fr: {
    title: 'Choisissez votre mot de passe',
    intro: 'Il vous servira à vous connecter à Vigie. Ce lien ne fonctionne qu’une fois.',
    password: 'Mot de passe',
    hint: '12 caractères au moins. Une phrase que vous seul connaissez fait très bien l’affaire.',
    again: 'Encore une fois',
    show: 'Afficher les mots de passe',
    submit: 'Enregistrer le mot de passe',
    noscript: 'Cette page a besoin de JavaScript : activez-le, puis ouvrez le lien une nouvelle fois.',
    script: {
      short: 'Il faut au moins 12 caractères.',
      different: 'Les deux mots de passe ne sont pas les mêmes.',
      saving: 'Enregistrement…',
      done_title: 'Votre mot de passe est enregistré',
      done: 'Vous pouvez fermer cette page et vous connecter.',
      no_token_title: 'Ce lien n’est pas complet',
      no_token:
        'Il a sans doute été coupé. Ouvrez-le depuis le message que vous avez reçu, ou copiez-le en entier.',
      used_title: 'Ce lien ne fonctionne plus',
      used: 'Il a déjà servi, ou il a expiré. Demandez-en un nouveau à la personne qui gère Vigie chez vous.',
      suspended_title: 'Ce compte est suspendu',
      suspended: 'Adressez-vous à la personne qui gère Vigie chez vous.',
      refused: 'Ce mot de passe n’est pas accepté : il faut de 12 à 200 caractères.',
      failed:
        'Le serveur n’a pas répondu. Votre mot de passe n’est pas enregistré : réessayez dans un instant.',
    },
  },
  en: {
    title: 'Choose your password',
    intro: 'You will use it to sign in to Vigie. This link works once.',
    password: 'Password',
    hint: 'At least 12 characters. A phrase that only you know does very well.',
    again: 'Once more',
    show: 'Show passwords',
    submit: 'Save password',
    noscript: 'This page needs JavaScript: turn it on, then open the link again.',
    script: {
      short: 'At least 12 characters are needed.',
      different: 'The two passwords are not the same.',
      saving: 'Saving…',
      done_title: 'Your password is saved',
      done: 'You can close this page and sign in.',
      no_token_title: 'This link is not complete',
      no_token: 'It was probably cut. Open it from the message you received, or copy all of it.',
      used_title: 'This link no longer works',
      used: 'It was used already, or it has expired. Ask the person who runs Vigie in your firm for a new one.',
      suspended_title: 'This account is suspended',
      suspended: 'Ask the person who runs Vigie in your firm.',
      refused: 'This password is not accepted: it needs 12 to 200 characters.',
      failed: 'The server did not answer. Your password is not saved: try again in a moment.',
    },
  },
} as const;

// The token leaves the address bar as soon as it is read: it does not stay in the history.
const SCRIPT = `
const words = JSON.parse(document.getElementById('words').textContent);
const at = (id) => document.getElementById(id);
const form = at('form'), first = at('password'), second = at('again'), problem = at('problem');
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);

function end(title, text, good) {
  form.hidden = true;
  at('title').textContent = title;
  document.title = title + ' - Vigie';
  at('intro').textContent = text;
  if (good) document.querySelector('main').classList.add('done');
  at('title').focus();
}
function fault(text, field) {
  problem.textContent = text;
  for (const input of [first, second]) input.setAttribute('aria-invalid', String(input === field));
  if (field) field.focus();
}

at('show').addEventListener('change', (event) => {
  for (const input of [first, second]) input.type = event.target.checked ? 'text' : 'password';
});
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if ([...first.value].length < 12) return fault(words.short, first);
  if (first.value !== second.value) return fault(words.different, second);
  fault('', null);
  const button = at('submit'), label = button.textContent;
  button.disabled = true;
  button.textContent = words.saving;
  try {
    const answer = await fetch('api/v1/auth/password', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password: first.value }),
    });
    if (answer.ok) return end(words.done_title, words.done, true);
    const { code, errors = [] } = await answer.json();
    if (code === 'link_used') return end(words.used_title, words.used);
    if (code === 'tenant_suspended') return end(words.suspended_title, words.suspended);
    if (errors.some(({ pointer }) => pointer === '/token')) return end(words.no_token_title, words.no_token);
    if (code === 'validation_failed') fault(words.refused, first);
    else fault(words.failed, null);
  } catch {
    fault(words.failed, null);
  }
  button.disabled = false;
  button.textContent = label;
});

form.hidden = false;
if (!token) end(words.no_token_title, words.no_token);
`;

/** The page on which a one-time link is used. It holds nothing of the request: its script reads the token. */
export function passwordPage(locale: Locale, nonce: string): string {
  const words = WORDS[locale];
  return `<!DOCTYPE html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${words.title} - Vigie</title>
<style nonce="${nonce}">${PAGE_STYLE}</style>
</head>
<body>
<main>
<p class="brand">Vigie</p>
<h1 id="title" tabindex="-1">${words.title}</h1>
<p id="intro" role="status">${words.intro}</p>
<noscript><p>${words.noscript}</p></noscript>
<form id="form" method="post" novalidate hidden>
<label for="password">${words.password}</label>
<p class="hint" id="hint">${words.hint}</p>
<input type="password" id="password" autocomplete="new-password" maxlength="200" required aria-describedby="hint problem">
<label for="again">${words.again}</label>
<input type="password" id="again" autocomplete="new-password" maxlength="200" required aria-describedby="problem">
<label class="check"><input type="checkbox" id="show">${words.show}</label>
<p id="problem" role="alert"></p>
<button id="submit">${words.submit}</button>
</form>
</main>
<script id="words" type="application/json" nonce="${nonce}">${JSON.stringify(words.script)}</script>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`;
}

/** What the page's own script needs besides. */
export function passwordPageHeaders(nonce: string): Record<string, string> {
  return pageHeaders(nonce, {
    'script-src': `'nonce-${nonce}'`,
    'connect-src': "'self'",
    'form-action': "'none'",
    'referrer-policy': 'no-referrer',
  });
}
