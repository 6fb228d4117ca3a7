import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { hasNoBackup, isZeros, MAX_EMPTY_BYTES } from './empty-file.js';
import { type FileError, isFileSystemError } from './file-errors.js';

/**
 * Bytes of one read and write. A file of any size takes two buffers of this size. `cp` uses the same: it stays in the
 * processor's cache, and writes of 1 MiB took Linux four times the processor time (P9).
 */
const CHUNK = 131_072;

/** The result of reading a whole file. */
export interface Reading {
  sha256: string;
  size: number;
  /** The file has no backup in it, whatever its hash. */
  empty: boolean;
  /** Why the copy is not complete; null if it is, or if there is none. */
  not_copied: FileError | null;
}

/**
 * Reads a whole file into SHA-256 and writes the same bytes into `copy`. A failed copy does not stop the reading: the
 * hash is needed in any case.
 * @param onProgress bytes read so far, once a chunk.
 * @throws read errors, and the signal's reason.
 */
export async function readThrough(
  source: FileHandle,
  copy: FileHandle | null,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<Reading> {
  const hash = createHash('sha256');
  let buffers: [Buffer, Buffer] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
  let not_copied: FileError | null = null;
  let size = 0;
  let zeros = true;
  /** The whole file, if it is small: its buffers are reused. */
  let small = Buffer.alloc(0);
  let { bytesRead } = await source.read(buffers[0], 0, CHUNK, 0);
  while (bytesRead > 0) {
    signal.throwIfAborted();
    const [current, next] = buffers;
    const chunk = current.subarray(0, bytesRead);
    const writing: Promise<void> | null =
      copy === null || not_copied !== null ? null : writeAll(copy, chunk, size);
    const reading = source.read(next, 0, CHUNK, size + bytesRead);
    // Hashed while the disk writes this piece and reads the one after it.
    hash.update(chunk);
    zeros &&= isZeros(chunk);
    if (!zeros && size + bytesRead <= MAX_EMPTY_BYTES) small = Buffer.concat([small, chunk]);
    // Wait for both before throwing: the buffers must no longer be in use.
    const [failed]: (FileError | null)[] = await Promise.all([failureOf(writing), failureOf(reading)]);
    not_copied ??= failed ?? null;
    size += bytesRead;
    onProgress(size);
    ({ bytesRead } = await reading);
    buffers = [next, current];
  }
  const empty = zeros || (small.length === size && (await hasNoBackup(small)));
  return { sha256: hash.digest('hex'), size, empty, not_copied };
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

async function failureOf(work: Promise<unknown> | null): Promise<FileError | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (isFileSystemError(error)) return error;
    throw error;
  }
}
