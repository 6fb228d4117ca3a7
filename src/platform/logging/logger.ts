import type { LoggerService } from '@nestjs/common';
import { ClsServiceManager } from 'nestjs-cls';
import { pino, type DestinationStream, type Logger } from 'pino';
import { databaseFailure } from '../database/failures.js';
import { prettyDestination } from './pretty.js';
import { withSourcePositions } from './source-positions.js';

/** The context of a unit of work, which all of its log lines include. */
declare module 'nestjs-cls' {
  interface ClsStore {
    request_id: string;
    tenant_id: string;
    job_id: string;
    /** Names of the settings that a request changed, for the audit log. */
    changed_fields: string[];
    noted_targets: Record<string, string>;
  }
}

/** Fields that never reach a log, at any depth that a line can have. */
const HIDDEN = [
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
];

/** Maximum length of a logged message and stack, in characters: an error may quote a whole body. */
const MAX_MESSAGE = 500;
const MAX_STACK = 8_000;
/** An address at the cut must be found whole (RFC 5321 §4.5.3.1: 320 octets). */
const MAX_ADDRESS = 320;
/**
 * Mail servers quote the recipient in their answers. A match starts only where an address can start: tried at every
 * letter of a long word, the time would be quadratic. A slash ends an address: `node_modules/@scope`.
 */
const ADDRESS = /(?<![^\s<>"'(),:;@/\\])[^\s<>"'(),:;@/\\]+@[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+/gu;

/** The first `max` characters, without addresses. */
function clean(text: string, max: number): string {
  const kept = text.length <= max + MAX_ADDRESS ? text : withoutLastWord(text.slice(0, max + MAX_ADDRESS));
  return kept.replace(ADDRESS, '***').slice(0, max);
}

/** A truncated word may be half an address. */
function withoutLastWord(text: string): string {
  let end = text.length;
  while (end > text.length - MAX_ADDRESS && !/[\s<>"'(),:;]/.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function shownStack(stack: string): string {
  return withSourcePositions(clean(stack, MAX_STACK));
}

/**
 * An error without personal data: a failed statement is described by its code and constraint, never by its text or
 * values.
 */
function describeError(error: unknown): Record<string, unknown> {
  const failure = databaseFailure(error);
  if (failure !== null) return { type: 'QueryFailedError', ...failure };
  if (!(error instanceof Error)) return { type: typeof error };
  return {
    type: error.name,
    message: clean(error.message, MAX_MESSAGE),
    stack: error.stack === undefined ? undefined : shownStack(error.stack),
  };
}

function context(): Record<string, unknown> {
  const cls = ClsServiceManager.getClsService();
  if (!cls.isActive()) return {};
  return {
    request_id: cls.get('request_id'),
    tenant_id: cls.get('tenant_id'),
    job_id: cls.get('job_id'),
  };
}

/** Nest contexts that log each module and route at start, and an error that main.ts reports as well. */
const FRAMEWORK = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

/**
 * JSON lines on standard output, or formatted by `logDestination`: level, time (UTC), `event`, and the ids of the
 * current work.
 */
export class JsonLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(level: string, destination?: DestinationStream) {
    const options = {
      level: level === 'warning' ? 'warn' : level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: describeError },
      // pino copies the message of the error under this key into the line; an empty key disables that.
      errorKey: '',
      redact: { paths: HIDDEN.flatMap((field) => [field, `*.${field}`]), censor: '***' },
      mixin: context,
    };
    this.pino = destination === undefined ? pino(options) : pino(options, destination);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  /** Nest passes the logging context as the last parameter, and an error's stack before it. */
  private write(level: 'debug' | 'info' | 'warn' | 'error', message: unknown, rest: unknown[]): void {
    const room = rest.at(-1);
    if (level !== 'warn' && typeof room === 'string' && FRAMEWORK.has(room)) level = 'debug';
    const fields = {
      room: typeof room === 'string' ? room : undefined,
      stack: rest.length > 1 && typeof rest[0] === 'string' ? shownStack(rest[0]) : undefined,
    };
    if (message instanceof Error) this.pino[level]({ ...fields, err: message });
    else if (typeof message === 'object' && message !== null) this.pino[level]({ ...fields, ...message });
    else this.pino[level](fields, String(message));
  }
}

export type LogFormat = 'auto' | 'json' | 'pretty';

/**
 * Where a logger writes.
 * @returns undefined for JSON on standard output, pino's default. `auto`: pretty on a terminal.
 */
export function logDestination(format: LogFormat): DestinationStream | undefined {
  const { stdout } = process;
  if (format === 'json' || (format === 'auto' && !stdout.isTTY)) return undefined;
  // hasColors() respects NO_COLOR (https://no-color.org).
  const colours = stdout.isTTY && stdout.hasColors();
  return prettyDestination({ colours, write: (text) => void stdout.write(text) });
}
