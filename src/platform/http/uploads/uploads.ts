import { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../errors/problem.js';

/** Maximum size of a file, in bytes. `bodies.ts` has the limits of other bodies. */
export const UPLOAD_LIMIT = 100 * 1_048_576;
/** Maximum time for receiving a file, in ms: 100 MB at 1 Mbit/s. */
export const UPLOAD_TIMEOUT_MS = 15 * 60_000;

/** Accepted content types. Browsers on Windows label a .csv as Excel where that is installed. */
const FORMATS = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/vnd.ms-excel': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
} as const;
export type UploadFormat = (typeof FORMATS)[keyof typeof FORMATS];

/** A file that is being received; none of it has been read yet. */
export interface Upload {
  stream: Readable;
  /** The declared format. */
  format: UploadFormat;
  /** The declared encoding, or null. */
  charset: string | null;
  /** The declared size, or null. */
  bytes_total: number | null;
}

/** Advice for types that people send instead. */
const REFUSED_TYPES: readonly [RegExp, string][] = [
  [
    /spreadsheet|excel|ms-office/,
    'this is a workbook, not a CSV file: save it as "CSV UTF-8", and send that as text/csv',
  ],
  [
    /^multipart\//,
    'send the file itself as the body, not in a form: Content-Type: text/csv or application/x-ndjson ' +
      "(curl -T file.csv -X POST -H 'Content-Type: text/csv')",
  ],
  [
    /^application\/octet-stream$/,
    'the Content-Type does not say what the file is: send CSV as text/csv, NDJSON as application/x-ndjson; save a workbook as CSV first',
  ],
  [
    /^application\/json$/,
    'send one JSON object per line (NDJSON) as application/x-ndjson, or CSV as text/csv',
  ],
];

const UPLOAD_ROUTE = { upload: true };

/** A route whose body is a file, passed on as a stream. */
export function TakesUpload(): MethodDecorator {
  return RouteConfig(UPLOAD_ROUTE);
}

/** The file in the body of a `@TakesUpload()` route. */
export const UploadBody = createParamDecorator((_data: unknown, context: ExecutionContext): Upload => {
  const { body, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new Problem('unsupported_media_type', `send the file uncompressed, not as ${encoding}`);
  }
  const type = typeOf(headers['content-type']);
  const format = formatOf(type);
  if (format === undefined || !(body instanceof Readable)) {
    const [, detail] = REFUSED_TYPES.find(([refused]) => format === undefined && refused.test(type)) ?? [];
    throw new Problem(
      'unsupported_media_type',
      detail ?? 'send a file as text/csv (a workbook: save it as CSV) or application/x-ndjson',
    );
  }
  const announced = headers['content-length'];
  const bytes_total = announced === undefined ? null : Number(announced);
  if (bytes_total !== null && bytes_total > UPLOAD_LIMIT) throw tooLarge();
  return { stream: body, format, charset: charsetOf(headers['content-type']), bytes_total };
});

export function tooLarge(): Problem {
  return new Problem('payload_too_large', 'a file may have up to 100 MB: split it');
}

/** Whether the route of a request accepts a file as its body. */
export function takesUpload({ routeOptions }: FastifyRequest): boolean {
  return (routeOptions.config as { upload?: boolean }).upload === true;
}

function charsetOf(contentType: string | undefined): string | null {
  return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1] ?? null;
}

function typeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1).join('').trim().toLowerCase();
}

function formatOf(type: string): UploadFormat | undefined {
  return Object.hasOwn(FORMATS, type) ? FORMATS[type as keyof typeof FORMATS] : undefined;
}
