import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest, RawServerDefault } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Problem } from '../errors/problem.js';
import { bodyOf, toProblem } from '../errors/problem.filter.js';

type Handlers = Pick<FastifyHttpOptions<RawServerDefault>, 'frameworkErrors' | 'clientErrorHandler' | 'http'>;

/** Node's errors for bytes that are not a valid request. */
const PROBLEMS: Partial<Record<string, () => Problem>> = {
  HPE_HEADER_OVERFLOW: () => new Problem('headers_too_large', 'address and headers may have up to 16 KB'),
  ERR_HTTP_REQUEST_TIMEOUT: () => new Problem('request_timeout'),
};

/** After an answer to what was no request, the connection is closed from this side. */
const LINGER_MS = 2_000;

/**
 * Answers what is no request for a route (RFC 9457): a broken path, headers that are too large, no HTTP at all.
 * @param headers of every answer; no hook runs for these.
 * @param headersFor further headers, if the request could be read.
 */
export function unreadableRequests(
  headers: Record<string, string>,
  headersFor: (request: FastifyRequest) => Record<string, string>,
): Handlers {
  return {
    // Node's own answer to a request without Host has no body. `requireHost` writes one.
    http: { requireHostHeader: false },
    frameworkErrors: (error, request, reply) => {
      const problem =
        error.statusCode === 414
          ? new Problem('uri_too_long', 'a part of the path is too long')
          : toProblem(error);
      const plain = reply as unknown as FastifyReply;
      void plain
        .status(problem.status)
        .headers({
          ...headers,
          ...headersFor(request),
          'x-request-id': request.id,
        })
        .type('application/problem+json')
        .send(JSON.stringify(bodyOf(problem, request.id)));
    },
    clientErrorHandler: (error, socket: Socket) => {
      // The client closed the connection, or has its answer.
      if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
        socket.destroy();
        return;
      }
      const problem = PROBLEMS[error.code]?.() ?? new Problem('malformed_request', 'this is not HTTP/1.1');
      socket.end(asHttp(problem, headers));
      // Node no longer watches this connection, and a client need not close it.
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    },
  };
}

function asHttp(problem: Problem, headers: Record<string, string>): string {
  const id = randomUUID();
  const body = JSON.stringify(bodyOf(problem, id));
  const all = {
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': id,
    connection: 'close',
  };
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}

/** RFC 9112 §3.2: an HTTP/1.1 request without Host is answered with 400. */
export function requireHost(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', ({ raw }, _reply, done) => {
      const isMissing = raw.httpVersion === '1.1' && raw.headers.host === undefined;
      done(isMissing ? new Problem('malformed_request', 'the header Host is missing') : undefined);
    });
}
