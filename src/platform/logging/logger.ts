import type { LoggerService } from '@nestjs/common';
import { ClsServiceManager } from 'nestjs-cls';
import { pino, type DestinationStream, type Logger } from 'pino';
import { databaseFailure } from '../database/failures.js';
import { prettyDestination } from './pretty.js';

/** What a unit of work carries along, and every log line under it shows. */
declare module 'nestjs-cls' {
  interface ClsStore {
    request_id: string;
    tenant_id: string;
    job_id: string;
    /** Names of the settings that a request changed, for the audit log. */
    changed_fields: string[];
  }
}

/** Fields that never reach a log, at any depth a line can have. */
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

/** Longest message and stack that are logged, in characters: an error may quote a whole body. */
const MAX_MESSAGE = 500;
const MAX_STACK = 8_000;
/** An address at the cut is looked for as a whole (RFC 5321 §4.5.3.1: 320 octets). */
const MAX_ADDRESS = 320;
/**
 * Mail servers quote the recipient in what they answer. A match begins only where an address can begin: tried at every
 * letter of a long word, the time would grow with the square of its length. A slash ends one: `node_modules/@scope`.
 */
const ADDRESS = /(?<![^\s<>"'(),:;@/\\])[^\s<>"'(),:;@/\\]+@[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+/gu;

/** The first `max` characters, without addresses. */
function clean(text: string, max: number): string {
  const kept = text.length <= max + MAX_ADDRESS ? text : withoutLastWord(text.slice(0, max + MAX_ADDRESS));
  return kept.replace(ADDRESS, '***').slice(0, max);
}

/** A word that was cut may be half of an address. */
function withoutLastWord(text: string): string {
  let end = text.length;
  while (end > text.length - MAX_ADDRESS && !/[\s<>"'(),:;]/.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/**
 * An error without what it may quote: a failed statement is described by its code and constraint, never by its
 * text or values, which can hold personal data.
 */
function describeError(error: unknown): Record<string, unknown> {
  const failure = databaseFailure(error);
  if (failure !== null) return { type: 'QueryFailedError', ...failure };
  if (!(error instanceof Error)) return { type: typeof error };
  return {
    type: error.name,
    message: clean(error.message, MAX_MESSAGE),
    stack: error.stack === undefined ? undefined : clean(error.stack, MAX_STACK),
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

/** Rooms of Nest that log each module and route of a start, and an error that main.ts reports too. */
const FRAMEWORK = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

/** JSON lines on standard output, or what `logDestination` makes of them: level, time (UTC), what happened (`event`), and the ids it belongs to. */
export class JsonLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(level: string, destination?: DestinationStream) {
    const options = {
      level: level === 'warning' ? 'warn' : level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: describeError },
      // pino copies the message of the error under this key into the line as it is: there is none.
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

  /** Nest passes the logging room as the last parameter, and an error's stack before it. */
  private write(level: 'debug' | 'info' | 'warn' | 'error', message: unknown, rest: unknown[]): void {
    const room = rest.at(-1);
    if (level !== 'warn' && typeof room === 'string' && FRAMEWORK.has(room)) level = 'debug';
    const fields = {
      room: typeof room === 'string' ? room : undefined,
      stack: rest.length > 1 && typeof rest[0] === 'string' ? clean(rest[0], MAX_STACK) : undefined,
    };
    if (message instanceof Error) this.pino[level]({ ...fields, err: message });
    else if (typeof message === 'object' && message !== null) this.pino[level]({ ...fields, ...message });
    else this.pino[level](fields, String(message));
  }
}

export type LogFormat = 'auto' | 'json' | 'pretty';

/**
 * Where a logger writes.
 * @returns undefined for JSON on standard output, which is pino's own. `auto`: pretty on a terminal.
 */
export function logDestination(format: LogFormat): DestinationStream | undefined {
  const { stdout } = process;
  if (format === 'json' || (format === 'auto' && !stdout.isTTY)) return undefined;
  // Which minds NO_COLOR (https://no-color.org).
  const colours = stdout.isTTY && stdout.hasColors();
  return prettyDestination({ colours, write: (text) => void stdout.write(text) });
}
