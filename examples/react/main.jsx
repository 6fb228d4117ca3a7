import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const INBOX = '/inbox.js';

async function getToken() {
  return (await fetch('/vigie-token')).text();
}

function App() {
  const [unread, setUnread] = useState(0);
  const [last, setLast] = useState(null);
  return (
    <>
      <h1>Cabinet Martin</h1>
      <vigie-inbox
        lang="fr"
        getToken={getToken}
        filters={['deadline_near', { name: 'Sauvegardes', kinds: ['backup_alert', 'backup_damaged'] }]}
        onvigie-unread-count={({ detail }) => setUnread(detail.unread_count)}
        onvigie-received={({ detail }) => setLast(detail.notification.title)}
      />
      <p id="status">{unread} à lire</p>
      {last === null ? null : <p id="last">{last}</p>}
    </>
  );
}

// React sets properties of elements that are defined, and attributes of others: define it first.
await import(/* @vite-ignore */ INBOX);
createRoot(document.querySelector('#app')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
