import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { databaseFailure } from '../database/failures.js';
import { ERRORS, type ErrorCode } from './error-table.js';
import { Problem } from './problem.js';

const BY_STATUS: Partial<Record<number, ErrorCode>> = {
  400: 'malformed_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_attempts',
  503: 'unavailable',
};

/** Connection faults and shutdowns, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNAVAILABLE = /^(08|53|57P)/;
const UNREACHABLE = /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|Connection terminated|timeout exceeded when trying/;

/** What an error is to the caller. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error);
  const failure = databaseFailure(error);
  if (failure !== null) {
    // A value PostgreSQL can't hold (NUL in a text, a lone surrogate, an impossible date) that got this far.
    if (failure.code?.startsWith('22')) return new Problem('malformed_request', undefined, { cause: error });
    if (failure.code !== null && UNAVAILABLE.test(failure.code)) {
      return new Problem('unavailable', undefined, { cause: error });
    }
  }
  if (error instanceof Error && UNREACHABLE.test(error.message)) {
    return new Problem('unavailable', undefined, { cause: error });
  }
  // Fastify's own errors (a body that does not parse, is too large, has another type) carry a status.
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    return fromStatus(error.statusCode, error);
  }
  return new Problem('internal_error', undefined, { cause: error });
}

function fromStatus(status: number, cause: Error): Problem {
  const code = BY_STATUS[status] ?? (status < 500 ? 'malformed_request' : 'internal_error');
  return new Problem(code, undefined, { cause });
}

/** Turns whatever was thrown under a request into its problem+json, and logs what is ours to look at. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = toProblem(error);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (ERRORS[problem.code].report) {
      const request = host.switchToHttp().getRequest<FastifyRequest>();
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
      .send(JSON.stringify(problem.body()));
  }
}
