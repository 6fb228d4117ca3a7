import { io, type Socket } from 'socket.io-client';
import type {
  ClientMessages,
  NotificationView,
  ServerMessages,
  UnreadCount,
} from '../../contracts/socket-messages.js';

/** A connected client: its received data, as a browser's list and badge would show it. */
export interface Listener {
  created: NotificationView[];
  updated: NotificationView[];
  unread: number;
  close(): void;
}

/**
 * Connects to /notifications.
 * @throws Error if the server refuses, or does not answer within 10 s.
 */
export async function listen(url: string, token: string): Promise<Listener> {
  const socket: Socket<ServerMessages, ClientMessages> = io(`${url}/notifications`, {
    transports: ['websocket'],
    auth: { token },
    timeout: 10_000,
    forceNew: true,
  });
  const listener: Listener = { created: [], updated: [], unread: -1, close: () => socket.disconnect() };
  let seq = -1;
  const applyCount = (count: UnreadCount) => {
    if (count.seq < seq) return;
    seq = count.seq;
    listener.unread = count.unread_count;
  };
  socket.on('notification.created', (notification) => {
    listener.created.push(notification);
    applyCount(notification);
  });
  socket.on('notification.updated', (notification) => {
    listener.updated.push(notification);
    applyCount(notification);
  });
  socket.on('unread_count', applyCount);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
  } catch (error) {
    // Otherwise it would retry as long as the process lives.
    socket.disconnect();
    throw error;
  }
  return listener;
}
