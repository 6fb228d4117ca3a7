import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyHttpOptions, FastifyReply, RawServerDefault } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Problem } from '../errors/problem.js';
import { bodyOf, toProblem } from '../errors/problem.filter.js';

type Handlers = Pick<FastifyHttpOptions<RawServerDefault>, 'frameworkErrors' | 'clientErrorHandler' | 'http'>;

/** Node's errors for bytes that are not a valid request. */
const PROBLEMS: Partial<Record<string, () => Problem>> = {
  HPE_HEADER_OVERFLOW: () => new Problem('headers_too_large', 'address and headers may have up to 16 KB'),
  ERR_HTTP_REQUEST_TIMEOUT: () => new Problem('request_timeout'),
};

/**
 * Answers invalid requests that reach no route (RFC 9457): a broken path, headers that are too large, no HTTP at all.
 */
export const unreadableRequests: Handlers = {
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
      .header('x-request-id', request.id)
      .type('application/problem+json')
      .send(JSON.stringify(bodyOf(problem, request.id)));
  },
  clientErrorHandler: (error, socket: Socket) => {
    // The client closed the connection, or already has its answer.
    if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
      socket.destroy();
      return;
    }
    const problem = PROBLEMS[error.code]?.() ?? new Problem('malformed_request', 'this is not HTTP/1.1');
    const id = randomUUID();
    const body = JSON.stringify(bodyOf(problem, id));
    socket.end(
      [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
        'content-type: application/problem+json',
        `content-length: ${Buffer.byteLength(body)}`,
        `x-request-id: ${id}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  },
};

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
