import type { FileHandle } from 'node:fs/promises';
import { hasNoBackup, isZeros, MAX_EMPTY_BYTES } from './empty-file.js';
import { type FileError, isFileSystemError } from './file-errors.js';
import { FileHash, PIECE } from './file-hash.js';

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
 * @param onProgress bytes read so far, once a piece.
 * @throws read errors, and the signal's reason.
 */
export async function readThrough(
  source: FileHandle,
  copy: FileHandle | null,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<Reading> {
  const hash = new FileHash();
  try {
    return await readInto(hash, source, copy, signal, onProgress);
  } finally {
    hash.end();
  }
}

async function readInto(
  hash: FileHash,
  source: FileHandle,
  copy: FileHandle | null,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<Reading> {
  let not_copied: FileError | null = null;
  let size = 0;
  let zeros = true;
  /** The whole file, if it is small: its buffers are reused. */
  let small = Buffer.alloc(0);
  const readNext = async (at: number): Promise<Buffer> => {
    const room = await hash.room();
    const { bytesRead } = await source.read(room, 0, PIECE, at);
    return room.subarray(0, bytesRead);
  };
  let piece = await readNext(0);
  while (piece.length > 0) {
    signal.throwIfAborted();
    hash.add(piece.length);
    const writing: Promise<void> | null =
      copy === null || not_copied !== null ? null : writeAll(copy, piece, size);
    // The disk writes this piece and reads the next one while a thread hashes those before them.
    const reading = readNext(size + piece.length);
    zeros &&= isZeros(piece);
    if (!zeros && size + piece.length <= MAX_EMPTY_BYTES) small = Buffer.concat([small, piece]);
    // Wait for both before throwing: the buffers must no longer be in use.
    const [failed]: (FileError | null)[] = await Promise.all([failureOf(writing), failureOf(reading)]);
    not_copied ??= failed ?? null;
    size += piece.length;
    onProgress(size);
    piece = await reading;
  }
  const empty = zeros || (small.length === size && (await hasNoBackup(small)));
  return { sha256: await hash.digest(), size, empty, not_copied };
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
