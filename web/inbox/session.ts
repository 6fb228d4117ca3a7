import { VigieClient, type VigieClientOptions } from '../client/vigie-client.js';
import type { PanelActs, PanelHost } from './panel-acts.js';
import { InboxStore } from './store.js';

/** Connects to a server, shows what changes, and reports it to the page by events. */
export function openSession(host: PanelHost, acts: PanelActs, options: VigieClientOptions): InboxStore {
  const client = new VigieClient(options);
  const store = new InboxStore(client);
  let lastState = '';
  store.on('change', () => {
    const detail = { list: store.phase, connection: client.state };
    const state = `${detail.list} ${detail.connection}`;
    if (state !== lastState) host.send('vigie-state', detail);
    lastState = state;
    host.requestUpdate();
  });
  store.on('received', (notification) => {
    const { words } = host;
    host.send('vigie-received', { notification });
    if (store.isOpen) host.announce(words.new_ones(store.arrived + 1));
    else host.announce(`${words.title}: ${words.new_ones(1)}`);
  });
  store.on('failed', () => acts.showFault());
  // The preferences and the explanation are of the first user.
  client.on('otherUser', () => acts.closed());
  client.on('count', (count) => host.send('vigie-unread-count', count));
  client.on('state', (state) => {
    if (state === 'auth-required') host.send('vigie-auth-required', {});
  });
  client.start();
  return store;
}
