import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Injectable, Logger } from '@nestjs/common';
import { toProblem } from '../platform/errors/problem.filter.js';
import { Problem } from '../platform/errors/problem.js';
import { type CreatingRequest, withContent } from '../platform/http/idempotency.js';
import { tooLarge, type Upload, UPLOAD_LIMIT } from '../platform/http/uploads.js';
import { Apply } from './apply.js';
import { csvLines } from './csv-lines.js';
import { FileText } from './file-text.js';
import type { ImportKind } from './import-kind.js';
import type { ImportView } from './imports.dto.js';
import { jsonLines } from './json-lines.js';
import { refused } from './refusal.js';
import { checkRow } from './row-check.js';
import { type Batch, type ImportRef, type Progress, Staging } from './staging.js';

/** Lines that are stored at once. */
const BATCH = 1_000;
/** Lines that a file may have. */
const LINES_LIMIT = 1_000_000;
const HEARTBEAT_MS = 1_000;
/** An upload that sends nothing for this long is cut off, in ms. */
const IDLE_MS = 30_000;

/**
 * Takes a file from its first byte to its rows: read and checked as it arrives, staged in small transactions, applied
 * in one. A process that is killed leaves an import whose lease runs out, and nothing else.
 */
@Injectable()
export class Imports {
  private readonly logger = new Logger('Imports');

  constructor(
    private readonly staging: Staging,
    private readonly apply: Apply,
  ) {}

  /**
   * @throws Problem file_refused, unsupported_media_type, payload_too_large, too_many_attempts,
   * idempotency_mismatch; of the file nothing has landed then.
   */
  async receive(
    caller: { tenant_id: string; principal: string },
    request: CreatingRequest,
    upload: Upload,
    kind: ImportKind,
  ): Promise<ImportView> {
    const ref = await this.staging.begin(caller, kind.name, upload);
    const progress: Progress = { bytes: 0, lines: 0, rejected: 0, encoding: '' };
    const beat = setInterval(() => void this.heartbeat(ref, progress), HEARTBEAT_MS);
    try {
      const sha256 = await this.stage(ref, upload, kind, progress);
      await this.staging.received(ref, sha256);
      const view = await this.apply.run(caller, withContent(request, sha256), kind, ref);
      if (view.id !== ref.id) await this.staging.forget(ref);
      return view;
    } catch (error) {
      await this.failed(ref, error);
      throw error;
    } finally {
      clearInterval(beat);
      // What was refused goes on arriving: read away, so that the answer is.
      upload.stream.resume();
    }
  }

  /** @returns the content's SHA-256. */
  private async stage(ref: ImportRef, upload: Upload, kind: ImportKind, progress: Progress): Promise<string> {
    const hash = createHash('sha256');
    const text = textOf(upload.stream, hash, progress);
    const lines = upload.format === 'csv' ? csvLines(text, kind) : jsonLines(text);
    let batch: Batch = { rows: [], faults: [] };
    for await (const read of lines) {
      const { line } = read;
      progress.lines += 1;
      if (progress.lines > LINES_LIMIT) throw refused('a file may have up to 1,000,000 lines: split it');
      const checked = 'fault' in read ? { faults: [read.fault] } : checkRow(kind.row, read.values);
      if ('fields' in checked) batch.rows.push({ line, fields: checked.fields });
      else {
        progress.rejected += 1;
        batch.faults.push(...checked.faults.map((fault) => ({ line, ...fault })));
      }
      if (progress.lines % BATCH === 0) {
        await this.staging.store(ref, batch, progress);
        batch = { rows: [], faults: [] };
      }
    }
    if (progress.bytes === 0) throw refused('the file is empty');
    await this.staging.store(ref, batch, progress);
    return hash.digest('hex');
  }

  /** One that does not get through is followed by others; if none does, the lease runs out as it should. */
  private async heartbeat(ref: ImportRef, progress: Progress): Promise<void> {
    try {
      await this.staging.heartbeat(ref, progress);
    } catch (error) {
      this.logger.debug({ event: 'import_heartbeat_failed', import_id: ref.id, err: error });
    }
  }

  private async failed(ref: ImportRef, error: unknown): Promise<void> {
    const problem = toProblem(error);
    try {
      await this.staging.fail(ref, problem.detail ?? problem.message);
    } catch (failure) {
      // Its lease runs out instead, and cleanup takes the rows.
      this.logger.warn({ event: 'import_failure_not_written', import_id: ref.id, err: failure });
    }
  }
}

/** The file's text as it arrives, counted and hashed. */
async function* textOf(stream: Readable, hash: Hash, progress: Progress): AsyncGenerator<string> {
  const decoder = new FileText();
  const decode = (bytes: Buffer, last: boolean) => {
    const piece = decoder.push(bytes, last);
    progress.encoding = decoder.encoding;
    return piece;
  };
  for await (const bytes of arriving(stream)) {
    progress.bytes += bytes.length;
    if (progress.bytes > UPLOAD_LIMIT) throw tooLarge();
    hash.update(bytes);
    yield decode(bytes, false);
  }
  yield decode(Buffer.alloc(0), true);
}

/** @throws Problem malformed_request when the sender goes away or falls silent. */
async function* arriving(stream: Readable): AsyncGenerator<Buffer> {
  // Whoever stops reading early still has an answer to give: the stream must live on for that.
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

/** The next piece. Only the time in which the sender is waited for counts, not that in which pieces are stored. */
async function waitedFor(
  stream: Readable,
  chunks: AsyncIterator<unknown>,
): Promise<IteratorResult<unknown, unknown>> {
  // By the immediate, what came while this process was busy has been seen.
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
