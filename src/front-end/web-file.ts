import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A file in memory. */
export interface WebFile {
  type: string;
  etag: string;
  content: Buffer;
  gzipped: Buffer;
}

/** Compresses once: all files are a few hundred kilobytes. */
export function compress(type: string, content: Buffer): WebFile {
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { type, etag, content, gzipped: gzipSync(content, { level: 9 }) };
}

/** Sends the file, or 304 to a browser that has it. */
export function answer(file: WebFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.headers({ vary: 'accept-encoding', etag: file.etag });
  if (request.headers['if-none-match'] === file.etag) return reply.status(304).send();
  const isGzipped = /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  if (isGzipped) void reply.header('content-encoding', 'gzip');
  return reply.type(file.type).send(isGzipped ? file.gzipped : file.content);
}
