const at = (id) => document.getElementById(id);
// The page's words: data-no-token is words.noToken.
const words = at('words').dataset;
const form = at('form'), first = at('password'), second = at('again'), problem = at('problem');
// The token leaves the address bar as soon as it is read: it does not stay in the history.
const fragment = new URLSearchParams(location.hash.slice(1));
const token = fragment.get('token'), tenant = fragment.get('tenant');
history.replaceState(null, '', location.pathname);
// Another link opened in the same tab changes only the fragment, which loads nothing by itself.
window.addEventListener('hashchange', () => location.reload());

function end(title, text, good) {
  form.hidden = true;
  at('title').textContent = title;
  document.title = title + ' - Vigie';
  at('intro').textContent = text;
  if (good) {
    document.querySelector('main').classList.add('done');
    at('sign-in').hidden = false;
    if (tenant) at('sign-in').search = new URLSearchParams({ tenant }).toString();
  }
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
    if (answer.ok) return end(words.doneTitle, words.done, true);
    const { code, errors = [] } = await answer.json();
    if (code === 'link_used') return end(words.usedTitle, words.used);
    if (code === 'tenant_suspended') return end(words.suspendedTitle, words.suspended);
    if (errors.some(({ pointer }) => pointer === '/token')) return end(words.noTokenTitle, words.noToken);
    if (code === 'validation_failed') fault(words.refused, first);
    else fault(words.failed, null);
  } catch {
    fault(words.failed, null);
  }
  button.disabled = false;
  button.textContent = label;
});

form.hidden = false;
if (!token) end(words.noTokenTitle, words.noToken);
