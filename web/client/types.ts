import type { components } from './api.js';

/** A notification, as REST and the live connection show it. */
export type Notification = components['schemas']['FeedNotification'];

/** An older server shows no fields that were added later. */
const ADDED_LATER = {
  alert_id: null,
  acknowledged_at: null,
  acknowledged_by: null,
  snoozed_until: null,
  url: null,
};

export function completed(notification: Notification): Notification {
  return { ...ADDED_LATER, ...notification };
}

/**
 * The unread count, exact at `seq` of the user's inbox. `unseen`: how many arrived since the user last opened the
 * inbox; absent from servers that do not count it.
 */
export interface Count {
  unread_count: number;
  seq: number;
  unseen?: number;
}

/** What the server sends over the live connection. */
export type Frame =
  | { name: 'created' | 'updated'; notification: Notification; count: Count }
  | { name: 'count'; count: Count }
  | { name: 'resync' };

/**
 * - `connecting`: no connection yet.
 * - `live`: changes arrive as they happen.
 * - `reconnecting`: the connection was lost; it is tried again.
 * - `offline`: the browser has no network.
 * - `auth-required`: three tokens in a row were refused. Nothing is tried before `retry()`.
 * - `stopped`: before `start()` and after `stop()`.
 */
export type ConnectionState =
  'connecting' | 'live' | 'reconnecting' | 'offline' | 'auth-required' | 'stopped';

/** Returns an access token; called again when the server refuses the last one. */
export type GetToken = () => string | Promise<string>;
