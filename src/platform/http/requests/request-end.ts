import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** How a request ended. */
export interface RequestEnd {
  /** Of the answer; if none had begun when the client left, 499, as nginx logs it. */
  status: number;
  /** The client closed the connection before it had its whole answer. */
  client_left: boolean;
}

const CLIENT_LEFT = 499;

type Listener = (request: FastifyRequest, reply: FastifyReply, end: RequestEnd) => void;

/** The listeners of each server. They share its hooks: Node.js warns of more than ten listeners on a response. */
const listenersOf = new WeakMap<object, Listener[]>();

/**
 * Calls `listener` once for each request: when it is answered, or when its client leaves before that. Fastify's own
 * `onResponse` misses the latter.
 */
export function onRequestEnd(app: NestFastifyApplication, listener: Listener): void {
  const server = app.getHttpAdapter().getInstance();
  const known = listenersOf.get(server);
  if (known !== undefined) {
    known.push(listener);
    return;
  }
  const listeners = [listener];
  listenersOf.set(server, listeners);
  const ended = new WeakSet<FastifyRequest>();
  const end = (request: FastifyRequest, reply: FastifyReply, isLeft: boolean) => {
    if (ended.has(request)) return;
    ended.add(request);
    const status = isLeft && !reply.raw.headersSent ? CLIENT_LEFT : reply.statusCode;
    for (const each of listeners) each(request, reply, { status, client_left: isLeft });
  };
  server.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) end(request, reply, true);
    });
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    end(request, reply, false);
    done();
  });
}
