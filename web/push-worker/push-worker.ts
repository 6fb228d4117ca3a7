import { ApiClient } from '../client/api-client.js';
import type { OpenPage } from '../client/push-messages.js';
import { PushSubscriptions } from '../client/push-subscription.js';
import { shownOf } from './content.js';

/**
 * The service worker for pushes, served at /push-worker.js. It handles no requests of pages: it shows pushes, opens the
 * console at the one that is clicked, and renews a subscription that the browser has ended.
 */
declare const self: ServiceWorkerGlobalScope;

/** A page that is frozen, or that is not the console, does not answer. */
const ANSWER_MS = 250;
/** Firefox lets a click open a window for one second only. */
const PAGES_ASKED = 3;

// A new version takes over at once: no page depends on the old one.
self.addEventListener('install', () => void self.skipWaiting());

self.addEventListener('push', (event) => {
  const { title, body, tag, url } = shownOf(event.data?.text() ?? null);
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: url }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(String(event.notification.data)));
});

self.addEventListener('pushsubscriptionchange', (event) => {
  // A browser that does not say which: the console looks when it is opened next.
  if (event.oldSubscription === null) return;
  const subscriptions = new PushSubscriptions(new ApiClient(), self.registration.pushManager);
  event.waitUntil(subscriptions.keep(event.oldSubscription, true));
});

/** Shows a page in a window of the console, or in a new one. @param url path and query */
async function open(url: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // The one that was used last comes first.
  for (const client of windows.slice(0, PAGES_ASKED)) {
    if (!(await hasOpened(client, url))) continue;
    await client.focus();
    return;
  }
  await self.clients.openWindow(url);
}

/** Whether a window is one of the console, and now shows the page. */
function hasOpened(client: WindowClient, url: string): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  const message: OpenPage = { type: 'vigie-open', url };
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ANSWER_MS);
    port1.onmessage = () => resolve(true);
    client.postMessage(message, [port2]);
  });
}
