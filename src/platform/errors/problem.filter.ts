import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { databaseFailure } from '../database/failures.js';
import { ERRORS, type ErrorCode } from './error-table.js';
import { Problem, type ProblemBody } from './problem.js';

const BY_STATUS: Partial<Record<number, ErrorCode>> = {
  400: 'malformed_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  429: 'too_many_attempts',
  503: 'unavailable',
};

/**
 * Connection faults, too many connections, shutdowns, a standby:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE =
  /^(08|25006|53|57P)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** Messages of pg, TypeORM (which reports a lost connection in mid-statement) and ioredis when there is no code. */
const UNREACHABLE =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|Connection terminated|is not queryable|Query runner already released|timeout exceeded when trying|Query read timeout|Connection is closed|Command timed out|max retries per request|Stream isn't writeable/;

/** The problem that a caller gets for an error. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error);
  // A value PostgreSQL can't store (NUL in a text, a lone surrogate, an impossible date) that got this far.
  if (databaseFailure(error)?.code?.startsWith('22')) {
    return new Problem('malformed_request', undefined, { cause: error });
  }
  if (codesOf(error).some((code) => UNAVAILABLE.test(code)) || UNREACHABLE.test(messageOf(error))) {
    return new Problem('unavailable', undefined, { cause: error });
  }
  // Fastify's errors (a body that does not parse, is too large, has another type) carry a status.
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    return fromStatus(error.statusCode, error);
  }
  return new Problem('internal_error', undefined, { cause: error });
}

/**
 * The error codes of PostgreSQL or the system. A refused connection comes straight from the driver; for a name with
 * several addresses, as an aggregate error without a message.
 */
function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const code = databaseFailure(error)?.code ?? ('code' in error ? error.code : null);
  const inner: unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return [...(typeof code === 'string' ? [code] : []), ...inner.flatMap(codesOf)];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

function fromStatus(status: number, cause: Error): Problem {
  const code = BY_STATUS[status] ?? (status < 500 ? 'malformed_request' : 'internal_error');
  return new Problem(code, undefined, { cause });
}

/** Turns any error thrown during a request into problem+json, and logs internal faults. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const gone = isGone(request);
    if (gone) {
      this.logger.log({ event: 'request_aborted', method: request.method, route: request.routeOptions.url });
    }
    // Sent all the same: the audit log gets its outcome on the way.
    const problem = gone ? new Problem('malformed_request', 'the connection ended') : toProblem(error);
    if (ERRORS[problem.code].report && problem.options.expected !== true) {
      this.logger.error({
        event: 'request_failed',
        code: problem.code,
        method: request.method,
        route: request.routeOptions.url,
        err: problem.options.cause ?? error,
      });
    }
    void reply
      .status(problem.status)
      .headers(problem.options.headers ?? {})
      .type('application/problem+json')
      .send(JSON.stringify(bodyOf(problem, request.id)));
  }
}

/** Whether the client closed the connection before its request was complete: nobody waits for an answer. */
function isGone({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

/** A missing row and another tenant's row get the same answer, byte for byte, so it names no request. */
export function bodyOf(problem: Problem, requestId: string): ProblemBody {
  const body = problem.body();
  return problem.code === 'not_found' ? body : { ...body, request_id: requestId };
}
