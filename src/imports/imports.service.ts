import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { invalid, Problem } from '../platform/errors/problem.js';
import { toProblem } from '../platform/errors/problem.filter.js';
import type { TenantCaller } from '../platform/http/caller.js';
import { type CreatingRequest, withContent } from '../platform/http/idempotency.js';
import type { Upload } from '../platform/http/uploads/uploads.js';
import { Apply } from './apply.js';
import { textOf } from './arriving-text.js';
import { Batch } from './batch.js';
import { type ImportOptions, mappingOf } from './column-mapping.js';
import { type ColumnProposal, proposeColumns } from './column-proposal.js';
import { CsvReader } from './csv-reader.js';
import type { FileLine, FileReader } from './file-line.js';
import type { ImportKind, ImportKindName } from './import-kind.js';
import type { ImportView } from './imports.dto.js';
import { JsonReader } from './json-reader.js';
import { Pause } from './pause.js';
import { refused } from './refusal.js';
import { type ImportRef, type Progress, Staging } from './staging.js';

const HEARTBEAT_INTERVAL_MS = 1_000;
/** Enough for the `MAX_LINES` of a proposal. */
const MAX_PROPOSAL_BYTES = 262_144;

/**
 * Turns a file into rows: it is read and checked as it arrives, staged in small transactions, and applied in one. A
 * killed process leaves only an import whose lease expires.
 */
@Injectable()
export class Imports implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Imports');
  private readonly arriving = new Set<Readable>();
  private readonly kinds = new Map<string, ImportKind>();
  private readonly underWay = new Set<Promise<ImportView>>();

  constructor(
    private readonly staging: Staging,
    private readonly apply: Apply,
  ) {}

  /**
   * @throws Problem file_refused, unsupported_media_type, payload_too_large, too_many_attempts, idempotency_mismatch;
   * nothing of the file is applied then.
   */
  async receive(
    caller: { tenant_id: string; principal: string },
    request: CreatingRequest,
    upload: Upload,
    kind: ImportKind,
    options: ImportOptions = {},
  ): Promise<ImportView> {
    const work = this.take(caller, request, upload, kind, options);
    this.underWay.add(work);
    try {
      return await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  /**
   * Reads the beginning of a CSV file.
   * @throws Problem file_refused, unsupported_media_type, payload_too_large
   */
  async propose(upload: Upload, kind: ImportKind): Promise<ColumnProposal> {
    const progress: Progress = { bytes: 0, lines: 0, rejected: 0, encoding: '' };
    this.arriving.add(upload.stream);
    try {
      if (upload.format !== 'csv') throw refused('only a CSV file has columns');
      let text = '';
      for await (const piece of textOf(upload.stream, upload.charset, createHash('sha256'), progress)) {
        text += piece;
        if (progress.bytes > MAX_PROPOSAL_BYTES) {
          throw new Problem(
            'payload_too_large',
            'send the first 256 KB of the file, up to the end of a line',
          );
        }
      }
      return { encoding: progress.encoding, ...proposeColumns(text, kind) };
    } finally {
      this.arriving.delete(upload.stream);
      upload.stream.resume();
    }
  }

  /** Makes a kind known by its name, so that its staged imports can be applied. */
  register(kind: ImportKind): void {
    this.kinds.set(kind.name, kind);
  }

  /** @throws Problem forbidden when only admins act on imports of this kind */
  checkCaller({ kind, role }: Pick<TenantCaller, 'kind' | 'role'>, name: ImportKindName): void {
    // An API key may act by its scope, which the route has checked.
    if (this.kindOf(name).who === 'admin' && kind === 'user' && role !== 'admin')
      throw new Problem('forbidden');
  }

  /** @throws Problem not_found, conflict, count_changed */
  async applyStaged(tenantId: string, id: string): Promise<ImportView> {
    const work = this.apply.applyStaged(tenantId, id, (name) => this.kindOf(name));
    this.underWay.add(work);
    try {
      return await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  /** Cuts off arriving uploads, which could take longer than a stopping process has; other imports finish. */
  async beforeApplicationShutdown(): Promise<void> {
    for (const stream of this.arriving) stream.destroy();
    await Promise.allSettled(this.underWay);
  }

  private kindOf(name: string): ImportKind {
    const kind = this.kinds.get(name);
    if (kind === undefined) throw new Error(`no import of ${name}`);
    return kind;
  }

  private async take(
    caller: { tenant_id: string; principal: string },
    request: CreatingRequest,
    upload: Upload,
    kind: ImportKind,
    options: ImportOptions,
  ): Promise<ImportView> {
    const reader = readerOf(kind, upload, options);
    const next = options.dry_run === true ? 'comparing' : 'applying';
    const ref = await this.staging.begin(caller, kind.name, upload);
    const progress: Progress = { bytes: 0, lines: 0, rejected: 0, encoding: '' };
    const heartbeat = this.startHeartbeat(ref, progress);
    this.arriving.add(upload.stream);
    try {
      const sha256 = await this.stage(ref, upload, { kind, reader }, progress);
      this.arriving.delete(upload.stream);
      await this.staging.received(ref, sha256, next);
      const whole = withContent(request, sha256);
      const view =
        next === 'comparing'
          ? await this.apply.compare(caller, whole, kind, ref)
          : await this.apply.run(caller, whole, kind, ref);
      if (view.id !== ref.id) await this.staging.forget(ref);
      return view;
    } catch (error) {
      await this.failed(ref, error, progress);
      throw error;
    } finally {
      clearInterval(heartbeat);
      this.arriving.delete(upload.stream);
      // A refused upload keeps arriving: drain it, so that the client reads the answer.
      upload.stream.resume();
    }
  }

  /** @returns the content's SHA-256. */
  private async stage(
    ref: ImportRef,
    upload: Upload,
    { kind, reader }: { kind: ImportKind; reader: FileReader },
    progress: Progress,
  ): Promise<string> {
    const hash = createHash('sha256');
    const pause = new Pause();
    const batch = new Batch(kind, progress);
    // The next lines are read while PostgreSQL stores the previous ones.
    let stored = Promise.resolve();
    const store = async () => {
      await stored;
      stored = this.staging.store(ref, batch.take(), progress);
      stored.catch(() => undefined);
    };
    const takeAll = async (lines: Iterable<FileLine>) => {
      for (const line of lines) {
        batch.add(line);
        if (batch.isFull) await store();
        if (pause.isDue) await pause.once();
      }
    };
    try {
      for await (const text of textOf(upload.stream, upload.charset, hash, progress)) {
        await takeAll(reader.push(text));
        if (pause.isDue) await pause.once();
      }
      if (progress.bytes === 0) throw refused('the file is empty');
      await takeAll(reader.end());
      await store();
      await stored;
    } catch (error) {
      // Wait for running writes, so that their rows are deleted with the rest.
      await stored.catch(() => undefined);
      throw error;
    }
    return hash.digest('hex');
  }

  /** One heartbeat at a time: each takes a connection of the pool. */
  private startHeartbeat(ref: ImportRef, progress: Progress): NodeJS.Timeout {
    let beating = false;
    return setInterval(() => {
      if (beating) return;
      beating = true;
      void this.heartbeat(ref, progress).finally(() => (beating = false));
    }, HEARTBEAT_INTERVAL_MS);
  }

  /** A failed heartbeat is followed by others; if all fail, the lease expires as it should. */
  private async heartbeat(ref: ImportRef, progress: Progress): Promise<void> {
    try {
      await this.staging.heartbeat(ref, progress);
    } catch (error) {
      this.logger.debug({ event: 'import_heartbeat_failed', import_id: ref.id, err: error });
    }
  }

  private async failed(ref: ImportRef, error: unknown, progress: Progress): Promise<void> {
    const problem = toProblem(error);
    try {
      await this.staging.fail(ref, problem.detail ?? problem.message, progress);
    } catch (failure) {
      // Its lease expires instead, and cleanup deletes the rows.
      this.logger.warn({ event: 'import_failure_not_written', import_id: ref.id, err: failure });
    }
  }
}

/** @throws Problem file_refused for columns that do not fit, validation_failed for an option that is not for the file */
function readerOf(kind: ImportKind, { format }: Upload, options: ImportOptions): FileReader {
  if (format === 'csv') return new CsvReader(kind, mappingOf(options, kind));
  if (options.columns !== undefined) throw invalid('/query/columns', 'is for CSV files');
  return new JsonReader();
}
