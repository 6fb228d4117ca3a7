import { ClsServiceManager } from 'nestjs-cls';
import { QueryFailedError } from 'typeorm';
import { cpuMs } from '../../../test/support/cpu-time.js';
import { JsonLogger } from './logger.js';

function capture(level = 'debug'): {
  logger: JsonLogger;
  lines: Record<string, unknown>[];
  text: () => string;
} {
  const lines: Record<string, unknown>[] = [];
  const logger = new JsonLogger(level, {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { logger, lines, text: () => JSON.stringify(lines) };
}

describe('JsonLogger', () => {
  it('writes one JSON object per line, with level, UTC time, room and event', () => {
    const { logger, lines } = capture();
    logger.log({ event: 'delivery_sent', delivery_id: 'd1' }, 'Mail');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        room: 'Mail',
        event: 'delivery_sent',
        delivery_id: 'd1',
      },
    ]);
  });

  it.each([
    ['debug', ['debug', 'debug', 'info', 'warn', 'error']],
    ['warning', ['warn', 'error']],
    ['error', ['error']],
  ])('omits levels below %s', (level, expected) => {
    const { logger, lines } = capture(level);
    logger.verbose('a');
    logger.debug('a');
    logger.log('a');
    logger.warn('a');
    logger.error('a');
    expect(lines.map((line) => line.level)).toEqual(expected);
  });

  it('carries the ids of the current work, and no others', () => {
    const { logger, lines } = capture();
    const cls = ClsServiceManager.getClsService();
    cls.run(() => {
      cls.set('request_id', 'r1');
      cls.set('tenant_id', 't1');
      logger.log({ event: 'inside' });
    });
    logger.log({ event: 'outside' });
    expect(lines[0]).toMatchObject({ request_id: 'r1', tenant_id: 't1' });
    expect(lines[1]).not.toHaveProperty('request_id');
    expect(lines[1]).not.toHaveProperty('tenant_id');
  });

  it.each([
    'password',
    'token',
    'access_token',
    'refresh_token',
    'secret',
    'authorization',
    'api_key',
    'email',
    'address',
    'to',
    'phone',
    'name',
  ])('hides %s, also one level down', (field) => {
    const { logger, lines, text } = capture();
    logger.log({ event: 'x', [field]: 'canary', user: { [field]: 'canary' } });
    expect(text()).not.toContain('canary');
    expect(lines[0]).toMatchObject({ [field]: '***', user: { [field]: '***' } });
  });

  it('describes a failed statement by code and constraint, without its text and values', () => {
    const { logger, lines, text } = capture();
    const driver = Object.assign(new Error('duplicate key value (email)=(canary@example.fr)'), {
      code: '23505',
      constraint: 'users_email_key',
      table: 'users',
      detail: 'Key (email)=(canary@example.fr) already exists.',
    });
    const err = new QueryFailedError('INSERT INTO users VALUES ($1)', ['canary@example.fr'], driver);
    logger.error({ event: 'request_failed', err });
    logger.error(err);
    expect(text()).not.toMatch(/canary|INSERT/);
    for (const line of lines) {
      expect(line.err).toEqual({
        type: 'QueryFailedError',
        code: '23505',
        constraint: 'users_email_key',
        table: 'users',
      });
    }
  });

  it('removes the addresses that a mail server quotes from errors', () => {
    const { logger, lines, text } = capture();
    logger.error({
      event: 'x',
      err: new Error('550 5.1.1 <claire.canary+tva@cabinet-durand.fr>: no such user'),
    });
    expect(text()).not.toContain('canary');
    expect(lines[0]!.err).toMatchObject({ type: 'Error', message: '550 5.1.1 <***>: no such user' });
    expect((lines[0]!.err as { stack: string }).stack).toContain('logger.spec.ts');
  });

  it.each([
    ['a long word', 'x'.repeat(1_000_000)],
    ['many at signs', 'a@'.repeat(500_000)],
    ['a long domain', `a@${'b'.repeat(1_000_000)}`],
    ['many dots', `a@${'b.'.repeat(500_000)}`],
    ['many addresses', 'claire.canary@cabinet.fr '.repeat(40_000)],
  ])('S8: takes a bounded time for an error with %s', (_name, text) => {
    const { logger, lines, text: written } = capture();
    const err = new Error(text);
    err.stack = `Error: ${text}`;
    const before = cpuMs();
    logger.error({ event: 'x', err });
    logger.error('x', `Error: ${text}`, 'Room');
    expect(cpuMs() - before).toBeLessThan(250);
    expect(lines).toHaveLength(2);
    expect(written().length).toBeLessThan(25_000);
    expect(written()).not.toContain('canary');
  });

  it('S8: hides addresses in any script, and one at the end of the kept text', () => {
    const { logger, text } = capture();
    for (const address of [
      'rené.canary@cabinet.fr',
      'canary@münchen.example',
      `${'l'.repeat(64)}canary@x.fr`,
    ])
      logger.error({ event: 'x', err: new Error(`to:<${address}> refused`) });
    logger.error({ event: 'x', err: new Error(`${'x'.repeat(488)} canary@cabinet.example`) });
    expect(text()).not.toContain('canary');
  });

  it('leaves the paths of packages readable', () => {
    const { logger, lines } = capture();
    const err = new Error('x');
    err.stack = 'Error: x\n    at f (/app/node_modules/@nestjs/core/index.js:1:1)';
    logger.error({ event: 'x', err });
    expect((lines[0]!.err as { stack: string }).stack).toContain('node_modules/@nestjs/core/index.js');
  });

  it('truncates long messages, and describes thrown values that are not errors', () => {
    const { logger, lines } = capture();
    logger.error({ event: 'x', err: new Error('x'.repeat(10_000)) });
    logger.error({ event: 'x', err: 'canary text' });
    expect((lines[0]!.err as { message: string }).message).toHaveLength(500);
    expect(lines[1]!.err).toEqual({ type: 'string' });
  });

  it('does not fail on values that cannot be serialised', () => {
    const { logger, lines } = capture();
    const circle: Record<string, unknown> = { event: 'x' };
    circle.self = circle;
    logger.log(circle);
    logger.log({ event: 'x', count: 10n });
    logger.log(undefined);
    expect(lines).toHaveLength(3);
  });
});
