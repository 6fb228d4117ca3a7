import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Problem } from '../platform/errors/problem.js';
import { tooLarge, UPLOAD_LIMIT } from '../platform/http/uploads/uploads.js';
import { FileText } from './file-text.js';
import type { Progress } from './staging.js';

/** An upload that sends nothing for this long is cut off, in ms. */
const IDLE_MS = 30_000;
/** Bytes per read: processing them must not take long. */
const PIECE_BYTES = 65_536;

/**
 * The file's text as it arrives, counted and hashed.
 * @param charset the encoding that the sender names, or null
 * @throws Problem payload_too_large, malformed_request when the sender disconnects or stalls, and those of FileText.
 */
export async function* textOf(
  stream: Readable,
  charset: string | null,
  hash: Hash,
  progress: Progress,
): AsyncGenerator<string> {
  const decoder = new FileText(charset);
  const decode = (bytes: Buffer, last: boolean) => {
    const piece = decoder.push(bytes, last);
    progress.encoding = decoder.encoding;
    return piece;
  };
  for await (const bytes of arriving(stream)) {
    progress.bytes += bytes.length;
    if (progress.bytes > UPLOAD_LIMIT) throw tooLarge();
    hash.update(bytes);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      yield decode(bytes.subarray(at, at + PIECE_BYTES), false);
    }
  }
  yield decode(Buffer.alloc(0), true);
}

async function* arriving(stream: Readable): AsyncGenerator<Buffer> {
  // A reader that stops early still has to answer the request, so the stream must stay open.
  const chunks = stream.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await waitedFor(stream, chunks);
      if (next.done === true) return;
      yield next.value as Buffer;
    }
  } finally {
    await chunks.return?.();
  }
}

/** The next piece. Only the time spent waiting for the sender counts, not the time for storing pieces. */
async function waitedFor(
  stream: Readable,
  chunks: AsyncIterator<unknown>,
): Promise<IteratorResult<unknown, unknown>> {
  // Deferred with setImmediate, so that data that arrived while this process was busy is seen first.
  const idle = setTimeout(() => (cut = setImmediate(() => stream.destroy())), IDLE_MS);
  let cut: NodeJS.Immediate | undefined;
  try {
    return await chunks.next();
  } catch (error) {
    throw new Problem('malformed_request', 'the upload was cut off', { cause: error });
  } finally {
    clearTimeout(idle);
    clearImmediate(cut);
  }
}
