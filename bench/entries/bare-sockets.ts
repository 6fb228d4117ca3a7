import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import type { NotificationView } from '#vigie/contracts/socket-messages.js';
import { now, serve } from '../support/entry.js';

// The reference: a Socket.IO server that knows its sockets, and sends each of them one message.
const http = createServer();
const sockets = new Server(http, { transports: ['websocket'], serveClient: false }).of('/notifications');

function emitToEach(): Promise<object> {
  const began = now();
  let number = 0;
  for (const socket of sockets.sockets.values()) {
    socket.emit('notification.created', message(number++));
  }
  return Promise.resolve({ began });
}

function message(number: number): NotificationView {
  return {
    id: '01890000-0000-7000-8000-000000000000',
    kind: 'event',
    severity: 'info',
    title: `Message ${number}`,
    body: 'A line of text, as long as such lines are.',
    author: null,
    data: {},
    created_at: new Date().toISOString(),
    read_at: null,
    archived_at: null,
    cursor: `${number}.01890000-0000-7000-8000-000000000000`,
  };
}

http.listen(0, '127.0.0.1', () => {
  serve(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, emitToEach);
});
