import './vigie-inbox.js';

/** The page of `npm run web` at /inbox.html: takes the token from its address. */
const inbox = document.querySelector('vigie-inbox');
if (inbox !== null) inbox.token = new URLSearchParams(location.search).get('token') ?? '';
