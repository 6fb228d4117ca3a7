import { Readable } from 'node:stream';
import type MimeNode from 'nodemailer/lib/mime-node';
import { encode, wrap } from 'nodemailer/lib/qp';

/** Longer bodies, in characters, use nodemailer's stream: it lets other work run in between. */
const MAX_AT_ONCE = 500_000;

/**
 * The bytes of a message, as `MimeNode.createReadStream` would give them, at once: its pipelines, timers and small
 * socket writes cost more than half of the CPU time of a mail. Null if a body is not a string or is very long: then use
 * nodemailer's own stream. (The server signs DKIM.)
 */
export function wholeMessage(message: MimeNode): Buffer | null {
  const parts: string[] = [];
  return write(message, parts) ? Buffer.from(parts.join(''), 'utf8') : null;
}

function write(node: MimeNode, parts: string[]): boolean {
  const { content } = node;
  if (content !== undefined && (typeof content !== 'string' || content.length > MAX_AT_ONCE)) return false;
  // Also determines `multipart` and `boundary`.
  parts.push(node.buildHeaders(), '\r\n\r\n');
  if (content !== undefined && content !== '') parts.push(encoded(content, node.getTransferEncoding()));
  if (typeof node.multipart === 'string') {
    for (const [i, child] of node.childNodes.entries()) {
      parts.push(`${i === 0 ? '' : '\r\n'}--${String(node.boundary)}\r\n`);
      if (!write(child, parts)) return false;
    }
    parts.push(`\r\n--${String(node.boundary)}--\r\n`);
  }
  return true;
}

/** RFC 2045 §6: lines of at most 76 characters. */
function encoded(content: string, encoding: string | false): string {
  if (encoding === 'quoted-printable') return wrap(encode(content), 76);
  if (encoding === 'base64')
    return Buffer.from(content, 'utf8')
      .toString('base64')
      .replace(/.{76}(?!$)/g, '$&\r\n');
  return content;
}

/** A stream of these bytes. It must be read normally: nodemailer checks whether it was. */
export function streamOf(bytes: Buffer): Readable {
  return new Readable({
    read() {
      this.push(bytes);
      this.push(null);
    },
  });
}
