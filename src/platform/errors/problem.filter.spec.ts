import {
  BadRequestException,
  ForbiddenException,
  HttpException,
  NotFoundException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { connect } from 'node:net';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { ERRORS, type ErrorCode } from './error-table.js';
import { invalid, notFound, Problem } from './problem.js';
import { toProblem } from './problem.filter.js';

function failed(code: string | undefined, message = 'canary'): QueryFailedError {
  return new QueryFailedError('SELECT canary', [], Object.assign(new Error(message), { code }));
}
const withFields = (message: string, fields: object) => Object.assign(new Error(message), fields);

describe('toProblem', () => {
  const cases: [string, unknown, ErrorCode][] = [
    ['a problem', notFound(), 'not_found'],
    ['a Nest 400', new BadRequestException('canary'), 'malformed_request'],
    ['a Nest 403', new ForbiddenException(), 'forbidden'],
    ['a Nest 404', new NotFoundException('Cannot GET /canary'), 'not_found'],
    ['a Nest 503', new ServiceUnavailableException(), 'unavailable'],
    ['a status without its own code', new HttpException('canary', 418), 'malformed_request'],
    ['a strange 5xx', new HttpException('canary', 502), 'internal_error'],
    ['a body that is too large', withFields('canary', { statusCode: 413 }), 'payload_too_large'],
    ['a body of another type', withFields('canary', { statusCode: 415 }), 'unsupported_media_type'],
    ['a body that does not parse', withFields('canary', { statusCode: 400 }), 'malformed_request'],
    ['a NUL in a text', failed('22021'), 'malformed_request'],
    ['an impossible date', failed('22008'), 'malformed_request'],
    ['an unexpected unique violation', failed('23505'), 'internal_error'],
    ['a missing privilege', failed('42501'), 'internal_error'],
    ['a restart of PostgreSQL', failed('57P01'), 'unavailable'],
    ['a standby', failed('25006'), 'unavailable'],
    ['a lost connection', failed(undefined, 'Connection terminated unexpectedly'), 'unavailable'],
    ['an entity asked for on a lost connection', new QueryRunnerAlreadyReleasedError(), 'unavailable'],
    ['too many connections', withFields('sorry, too many clients already', { code: '53300' }), 'unavailable'],
    [
      'PostgreSQL starting up',
      withFields('the database system is starting up', { code: '57P03' }),
      'unavailable',
    ],
    ['no room in the pool', new Error('timeout exceeded when trying to connect'), 'unavailable'],
    ['a closed Redis', new Error('Connection is closed.'), 'unavailable'],
    ['a silent Redis', new Error('Command timed out'), 'unavailable'],
    [
      'a refused connection',
      withFields('connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' }),
      'unavailable',
    ],
    [
      'a name with several addresses that all refuse',
      new AggregateError([withFields('', { code: 'ECONNREFUSED' })], ''),
      'unavailable',
    ],
    [
      'an internal fault',
      new TypeError("Cannot read properties of undefined (reading 'canary')"),
      'internal_error',
    ],
    ['a thrown text', 'canary', 'internal_error'],
    ['nothing', undefined, 'internal_error'],
  ];

  it.each(cases)('converts %s to its code', (_what, error, code) => {
    const problem = toProblem(error);
    expect([problem.code, problem.status]).toEqual([code, ERRORS[code].status]);
  });

  it('answers without the internal cause', () => {
    for (const [, error] of cases) expect(JSON.stringify(toProblem(error).body())).not.toContain('canary');
  });

  it('recognises a connection that the machine refuses', async () => {
    const error = await new Promise((resolve) =>
      connect({ host: 'localhost', port: 1 }).once('error', resolve),
    );
    expect(toProblem(error).code).toBe('unavailable');
  });
});

describe('a problem', () => {
  it('has the body that RFC 9457 describes', () => {
    expect(invalid('/due_on', 'must be a day that exists').body()).toEqual({
      type: 'urn:vigie:error:validation_failed',
      title: 'The request is not valid',
      status: 400,
      code: 'validation_failed',
      errors: [{ pointer: '/due_on', detail: 'must be a day that exists' }],
    });
    expect(notFound().body()).toEqual({
      type: 'urn:vigie:error:not_found',
      title: 'Not found',
      status: 404,
      code: 'not_found',
    });
  });

  it('keeps its cause for the log', () => {
    const cause = new Error('inside');
    const problem = new Problem('internal_error', undefined, { cause });
    expect(problem.cause).toBe(cause);
    expect(JSON.stringify(problem.body())).not.toContain('inside');
  });
});
