const inbox = document.querySelector('vigie-inbox');

// Your server answers with an access token of the user who is signed in to your page.
inbox.getToken = async () => (await fetch('/vigie-token')).text();

inbox.addEventListener('vigie-unread-count', ({ detail: { unread_count } }) => {
  document.title = unread_count === 0 ? 'Cabinet Martin' : `(${unread_count}) Cabinet Martin`;
  document.querySelector('#status').textContent = `${unread_count} à lire`;
});

inbox.addEventListener('vigie-auth-required', () => location.assign('/login'));
