import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { serve } from '../support/entry.js';

// A replacement for Postfix's smtp-sink: accepts every mail and keeps none.
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  onData(stream, _session, callback) {
    stream.on('end', () => callback());
    stream.resume();
  },
});
server.listen(0, '127.0.0.1', () => {
  serve(String((server.server.address() as AddressInfo).port), () => Promise.resolve({}));
});
