/**
 * A notification as REST returns it, in the reader's language and as of today. A client sends `cursor` as `since` when
 * it reconnects.
 */
export interface NotificationView {
  id: string;
  kind: string;
  severity: string;
  title: string;
  body: string;
  /** Its author; null for notifications of Vigie and programs. */
  author: { name: string } | null;
  data: Record<string, unknown>;
  created_at: string;
  read_at: string | null;
  archived_at: string | null;
  /** The alert that it announces; null without one. */
  alert_id: string | null;
  /** When somebody acknowledged the alert, and their name (null: not a user). */
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  /** Until when the alert is snoozed; null once it has passed. */
  snoozed_until: string | null;
  /** The page of what it is about, by ITEM_URL; null without one. */
  url: string | null;
  cursor: string;
}

/** `unseen` counts no further: a bell shows a dot or "99+", and counting must stay cheap for users who never look. */
export const MAX_UNSEEN = 1_000;

/**
 * The user's counts, exact at `seq` of their inbox. Frames may arrive late: a client ignores counts with a smaller
 * `seq` than the last one it applied.
 */
export interface UnreadCount {
  /** Unread and not archived. */
  unread_count: number;
  /** Created after what the user has seen, and not archived; at most `MAX_UNSEEN`. */
  unseen: number;
  seq: number;
}

/** A change in one frame: the notification as REST returns it, and the counts that include the change. */
export interface LiveNotification extends NotificationView, UnreadCount {}

/** Server to client, namespace /notifications. */
export interface ServerMessages {
  'notification.created': (notification: LiveNotification) => void;
  'notification.updated': (notification: LiveNotification) => void;
  /** Sent if no notification frame has the counts: after connecting, or after something was seen. */
  unread_count: (count: UnreadCount) => void;
  /** Too many changes to replay: read the feed by REST. */
  resync_required: () => void;
}

/** The answer to a client's message. */
export type Acknowledgement = { ok: true; updated: number } | { ok: false; code: string; detail?: string };

/** Client to server. */
export interface ClientMessages {
  'notifications.read': (message: { ids: string[] }, acknowledge: (answer: Acknowledgement) => void) => void;
  'notifications.read_all': (acknowledge: (answer: Acknowledgement) => void) => void;
}
