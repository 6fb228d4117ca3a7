/**
 * A notification as REST shows it, in the reader's language and as of today. `cursor` is what a client sends back as
 * `since` when it reconnects.
 */
export interface NotificationView {
  id: string;
  kind: string;
  severity: string;
  title: string;
  body: string;
  /** Who wrote it; null for Vigie's and programs' notifications. */
  author: { name: string } | null;
  data: Record<string, unknown>;
  created_at: string;
  read_at: string | null;
  archived_at: string | null;
  cursor: string;
}

/**
 * The user's unread count, exact at `seq` of their inbox. Frames may arrive late: a client ignores a count with a
 * smaller `seq` than the last one it applied.
 */
export interface UnreadCount {
  unread_count: number;
  seq: number;
}

/** A change in one frame: the notification as REST shows it, and the unread count that includes the change. */
export interface LiveNotification extends NotificationView, UnreadCount {}

/** Server to client, namespace /notifications. */
export interface ServerMessages {
  'notification.created': (notification: LiveNotification) => void;
  'notification.updated': (notification: LiveNotification) => void;
  /** Sent when no notification frame carries the count: after connecting, for example. */
  unread_count: (count: UnreadCount) => void;
  /** Too much was missed to replay: read the feed by REST. */
  resync_required: () => void;
}

/** What a client's message is answered with. */
export type Acknowledgement = { ok: true; updated: number } | { ok: false; code: string; detail?: string };

/** Client to server. */
export interface ClientMessages {
  'notifications.read': (message: { ids: string[] }, acknowledge: (answer: Acknowledgement) => void) => void;
  'notifications.read_all': (acknowledge: (answer: Acknowledgement) => void) => void;
}
