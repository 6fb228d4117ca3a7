import { io, type Socket } from 'socket.io-client';
import { until } from '../../test/support/until.js';
import type {
  ClientMessages,
  LiveNotification,
  ServerMessages,
  UnreadCount,
} from '../contracts/socket-messages.js';

/** One message that a client received. */
export type Heard = {
  [Name in keyof ServerMessages]: { name: Name; payload: Parameters<ServerMessages[Name]>[0] };
}[keyof ServerMessages];

/** A client like a browser: it records what it receives, in order. */
export interface Client {
  socket: Socket<ServerMessages, ClientMessages>;
  heard: Heard[];
  /** The ids of `notification.created`, in the order received. */
  created(): string[];
  /** The notifications of either message. */
  notifications(): LiveNotification[];
  /** The last counts, whichever message carried it. */
  count(): UnreadCount | undefined;
  /** The last cursor, with which a client would reconnect. */
  cursor(): string | undefined;
}

/** Connects and records; resolves once the server has accepted the connection. */
export async function connect(url: string, auth: Record<string, unknown>): Promise<Client> {
  const client = open(url, auth);
  const refused: Error[] = [];
  client.socket.on('connect_error', (error) => refused.push(error));
  await until('the connection', () => client.socket.connected || refused.length > 0);
  if (refused[0] !== undefined) throw refused[0];
  return client;
}

/** Connects and records, without waiting. */
export function open(url: string, auth: Record<string, unknown>): Client {
  const socket: Client['socket'] = io(`${url}/notifications`, {
    auth,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  });
  const heard: Heard[] = [];
  socket.onAny((name, payload) => heard.push({ name, payload }));
  const notifications = () =>
    heard.flatMap((one) =>
      one.name === 'notification.created' || one.name === 'notification.updated' ? [one.payload] : [],
    );
  return {
    socket,
    heard,
    notifications,
    created: () => heard.flatMap((one) => (one.name === 'notification.created' ? [one.payload.id] : [])),
    count: () => {
      const last = heard.findLast((one) => one.name !== 'resync_required');
      if (last === undefined) return undefined;
      const { unread_count, unseen, seq } = last.payload;
      return { unread_count, unseen, seq };
    },
    cursor: () => notifications().at(-1)?.cursor,
  };
}

/** The code in `connect_error` for a connection with this `auth`. */
export async function refusalOf(url: string, auth: Record<string, unknown>): Promise<unknown> {
  const { socket } = open(url, auth);
  try {
    return await new Promise((resolve, reject) => {
      socket.on('connect_error', (error) =>
        resolve((error as Error & { data?: { code: string } }).data?.code),
      );
      socket.on('connect', () => reject(new Error('it was let in')));
    });
  } finally {
    socket.disconnect();
  }
}
