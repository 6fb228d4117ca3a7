import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { now, serve } from '../support/entry.js';

const { PER_SECOND = '100' } = process.env;
const INTERVAL_MS = 1_000 / Number(PER_SECOND);
let next = 0;

/** A mail server that accepts so many mails a second over all connections, in the order in which they arrive. */
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  onData(stream, _session, callback) {
    stream.on('end', () => {
      next = Math.max(next + INTERVAL_MS, now());
      void delay(next - now()).then(() => callback());
    });
    stream.resume();
  },
});
server.listen(0, '127.0.0.1', () => {
  serve(String((server.server.address() as AddressInfo).port), () => Promise.resolve({}));
});
