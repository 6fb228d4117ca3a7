import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import type { LiveNotification } from '#vigie/contracts/socket-messages.js';
import { now, serve } from '../support/entry.js';

// The reference: a Socket.IO server that emits one message of the same size to each of its sockets.
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

function message(number: number): LiveNotification {
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
    alert_id: null,
    acknowledged_at: null,
    acknowledged_by: null,
    snoozed_until: null,
    url: null,
    cursor: `${number}.01890000-0000-7000-8000-000000000000`,
    unread_count: 1,
    unseen: 1,
    seq: number,
  };
}

http.listen(0, '127.0.0.1', () => {
  serve(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, emitToEach);
});
