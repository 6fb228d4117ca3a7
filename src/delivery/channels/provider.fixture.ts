import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as a provider received it. */
export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  bytes: Buffer;
}

/** What a provider does with a request. */
export type ProviderAct =
  | { status: number; headers?: Record<string, string>; body?: string | object }
  /** Reads the request and closes the connection without an answer. */
  | 'reset'
  /** Reads the request and never answers. */
  | 'silence'
  /** Answers a body without an end. */
  | 'endless'
  /** Answers a byte now and then, without an end. */
  | 'trickle';

/** A provider on this machine that answers as its documentation says. */
export interface LocalProvider {
  url: string;
  received: ReceivedRequest[];
  /** Answers the next requests, in order; without one left, `usual`. */
  answer(...acts: ProviderAct[]): void;
  close(): Promise<void>;
}

/** @param usual the answer to a request without a scripted one */
export async function startProvider(
  usual: ProviderAct | ((request: ReceivedRequest) => ProviderAct),
): Promise<LocalProvider> {
  const received: ReceivedRequest[] = [];
  const acts: ProviderAct[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    void bytesOf(request).then((bytes) => {
      const { method = '', url = '', headers } = request;
      const got = { method, path: url, headers, body: bytes.toString(), bytes };
      received.push(got);
      const act = acts.shift() ?? (typeof usual === 'function' ? usual(got) : usual);
      if (act === 'reset') request.socket.resetAndDestroy();
      else if (act === 'endless') {
        response.writeHead(200);
        const write = () => {
          if (!response.destroyed && response.write('x'.repeat(16_384))) setImmediate(write);
        };
        response.on('drain', write);
        write();
      } else if (act === 'trickle') {
        response.writeHead(200).write('.');
        const timer = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(timer));
      } else if (act !== 'silence') {
        const { status, headers: more = {}, body: answer = '' } = act;
        const isText = typeof answer === 'string';
        response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...more });
        response.end(isText ? answer : JSON.stringify(answer));
      }
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (...more) => acts.push(...more),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
