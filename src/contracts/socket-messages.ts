/** A notification as REST and sockets show it, in the reader's language and as of today. `cursor` is what a client hands back to be brought up to date. */
export interface NotificationView {
  id: string;
  kind: string;
  severity: string;
  title: string;
  body: string;
  /** Who wrote it; null for what Vigie or a program says. */
  author: { name: string } | null;
  data: Record<string, unknown>;
  created_at: string;
  read_at: string | null;
  archived_at: string | null;
  cursor: string;
}

/** Server to client, namespace /notifications. */
export interface ServerMessages {
  'notification.created': (notification: NotificationView) => void;
  'notification.updated': (notification: NotificationView) => void;
  /** The exact count at `seq`; one with an older seq than the last is to be ignored. */
  unread_count: (count: { unread_count: number; seq: number }) => void;
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
