import { isUtf8 } from 'node:buffer';
import { parse as parseForm } from 'node:querystring';
import { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../errors/problem.js';
import { JSON_LIMITS, JsonFault, readJson } from '../json/read-json.js';
import { readMultipart } from './uploads/multipart.js';
import { takesUpload } from './uploads/uploads.js';

/** The body limit, in bytes, of authenticated routes. */
export const BODY_LIMIT = 1_048_576;
/** The body limit of public routes. */
export const PUBLIC_BODY_LIMIT = 16_384;
/** Time limit for a body that is not a file. */
const BODY_TIMEOUT_MS = 60_000;
/** How long the rest of a body is read after the answer: a client that is still sending reads the answer later. */
const LINGER_MS = 2_000;

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** What RFC 8058 tells mail programs to post. */
const MULTIPART_TYPE = 'multipart/form-data';

/**
 * All bodies are read here. A body is read only after the route's guard has authenticated the caller (`BodyGuard` reads
 * it then), so the parsers pass the stream on. Clients that send one byte a second, or keep sending after the answer,
 * are cut off.
 */
export function takeBodies(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  server.removeAllContentTypeParsers();
  // Of any type: `readBody` and `UploadBody` say what is wrong with another one.
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  server.addHook('onRequest', (request, _reply, done) => {
    if (hasBody(request) && !takesUpload(request)) cutOff(request, BODY_TIMEOUT_MS);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    // Otherwise the rest of the body would be parsed as the next request.
    if (hasBody(request) && !request.raw.complete) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onResponse', (request, _reply, done) => {
    if (hasBody(request) && !request.raw.complete) cutOff(request, LINGER_MS);
    done();
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function cutOff({ raw }: FastifyRequest, afterMs: number): void {
  const timer = setTimeout(() => {
    if (!raw.complete) raw.destroy();
  }, afterMs).unref();
  raw.once('close', () => clearTimeout(timer));
}

/**
 * Reads the body of a request; undefined when it has none.
 * @param limit bytes
 * @param takes what the route accepts besides well-formed JSON.
 * @throws Problem unsupported_media_type, payload_too_large, malformed_request, validation_failed with the place.
 */
export async function readBody(
  request: FastifyRequest,
  limit: number,
  takes: { form: boolean; illFormedTexts: boolean },
): Promise<unknown> {
  const { body, headers } = request;
  if (!(body instanceof Readable)) return undefined;
  const type = (headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase();
  const isForm = (type === FORM_TYPE || type === MULTIPART_TYPE) && takes.form;
  if (type !== JSON_TYPE && !isForm) throw new Problem('unsupported_media_type', `send ${JSON_TYPE}`);
  const bytes = await readBytes(request, limit);
  // Windows programs write a UTF-8 byte order mark.
  const text = bytes.toString().replace(/^\ufeff/, '');
  if (!isForm) return jsonOf(text, takes.illFormedTexts);
  return type === FORM_TYPE ? formOf(text) : multipartOf(text, headers['content-type'] ?? '');
}

/**
 * The bytes of a body in UTF-8, for a route that verifies a signature of them.
 * @param limit bytes
 * @throws Problem unsupported_media_type, payload_too_large, malformed_request
 */
export async function readBytes({ body, headers }: FastifyRequest, limit: number): Promise<Buffer> {
  if (!(body instanceof Readable)) return Buffer.alloc(0);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new Problem('unsupported_media_type', `send the body uncompressed, not as ${encoding}`);
  }
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const bytes = await bytesOf(body, limit);
  if (!isUtf8(bytes)) throw new Problem('malformed_request', 'the body is not UTF-8');
  return bytes;
}

function jsonOf(text: string, illFormedTexts: boolean): unknown {
  try {
    return readJson(text, { ...JSON_LIMITS, illFormedTexts });
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { pointer, detail } = error;
    if (pointer === '') throw new Problem('malformed_request', `the body is refused: ${detail}`);
    throw new Problem('validation_failed', undefined, { errors: [{ pointer, detail }] });
  }
}

/** A repeated field becomes a list. */
function formOf(text: string): Record<string, string | string[] | undefined> {
  return { ...parseForm(text) };
}

/** The text fields. A repeated field becomes a list. */
function multipartOf(text: string, contentType: string): Record<string, string | string[]> {
  const fields = readMultipart(text, contentType);
  if (fields === null) throw new Problem('malformed_request', 'the body is not a well-formed form');
  const form = new Map<string, string[]>();
  for (const [name, value] of fields) form.set(name, [...(form.get(name) ?? []), value]);
  return Object.fromEntries(
    [...form].map(([name, values]) => [name, values.length === 1 ? values.join('') : values]),
  );
}

function tooLarge(limit: number): Problem {
  return new Problem('payload_too_large', `the body may have up to ${limit} bytes`);
}

/** Not `for await`: leaving the loop would destroy the connection, and with it the answer. */
async function bytesOf(stream: Readable, limit: number): Promise<Buffer> {
  // It closed while the guard authenticated the caller: no more data or events will arrive.
  if (stream.destroyed) throw aborted();
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise<Buffer>((resolve, reject) => {
    const leave = (settle: () => void) => {
      stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      settle();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        leave(() => reject(tooLarge(limit)));
        // Nobody reads the rest: drop it until `cutOff`.
        stream.resume();
      } else chunks.push(chunk);
    };
    const onEnd = () => leave(() => resolve(Buffer.concat(chunks)));
    const onError = () => leave(() => reject(aborted()));
    const onClose = () => leave(() => reject(aborted()));
    stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function aborted(): Problem {
  return new Problem('malformed_request', 'the connection ended before the body did');
}
