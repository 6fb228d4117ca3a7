import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Browser } from './browser.js';

/** A push as the browser shows it. */
export interface CaughtPush {
  title: string;
  body: string;
}

/** A push service on this machine, and the browser that it serves. */
export interface PushCatcher {
  /** Its origin, for WEB_PUSH_SERVICES. */
  readonly url: string;
  readonly browser: Browser;
  /** Oldest first. */
  readonly pushes: readonly CaughtPush[];
  close(): Promise<void>;
}

export async function startPushCatcher(): Promise<PushCatcher> {
  const pushes: CaughtPush[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      pushes.push(browser.read(body) as CaughtPush);
      // RFC 8030 §5: the location of the message.
      response.writeHead(201, { location: `/message/${randomUUID()}` }).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = new Browser(`${url}/push/${randomUUID()}`);
  return {
    url,
    browser,
    pushes,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
