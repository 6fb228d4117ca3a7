import { createHash } from 'node:crypto';
import { ThreadHash } from './hash-threads.js';

/**
 * Bytes of one read and write. On a virtual machine with ext4, writes of 1 MiB took about three times the system time
 * (docs/benchmarks.md, "Size of a write").
 */
export const PIECE = 131_072;
/** Bytes that are hashed at once. A thread gets one message for so many. */
export const BLOCK = 4 * PIECE;
/** Pairs of blocks that are kept for the next files. */
const MAX_FREE = 16;

type Blocks = [Buffer, Buffer];

/** Blocks to use again: new memory costs more than reading a small file. */
const free: Blocks[] = [];

/**
 * The SHA-256 of a file, computed in a thread while the file is read and written here. A file of up to one block is
 * hashed here, without messages. Has the buffers of the reading: two blocks, whatever the file's size.
 */
export class FileHash {
  private blocks: Blocks = free.pop() ?? [newBlock(), newBlock()];
  /** Bytes in the first of the blocks. */
  private filled = 0;
  /** Bytes in the other block, if they are not hashed yet. */
  private full = 0;
  private thread: ThreadHash | null = null;
  private hashing: Promise<void> | null = null;

  /** Memory for the next piece. Waits until its former content is hashed. @throws HashThreadEnded */
  async room(): Promise<Buffer> {
    const [current, other] = this.blocks;
    if (this.filled + PIECE <= BLOCK) return current.subarray(this.filled, this.filled + PIECE);
    await this.hashing;
    this.hashing = null;
    this.blocks = [other, current];
    this.full = this.filled;
    this.filled = 0;
    return other.subarray(0, PIECE);
  }

  /** The last `room` has this many bytes of the file. It must not change any more. */
  add(bytes: number): void {
    this.filled += bytes;
    if (this.full === 0) return;
    this.thread ??= new ThreadHash();
    this.hashing = this.thread.update(this.blocks[1].subarray(0, this.full));
    // `room` or `digest` throws it.
    this.hashing.catch(() => undefined);
    this.full = 0;
  }

  /** @returns the SHA-256, hexadecimal. @throws HashThreadEnded */
  async digest(): Promise<string> {
    const [current, other] = this.blocks;
    await this.hashing;
    this.hashing = null;
    const rest = this.full > 0 ? other.subarray(0, this.full) : current.subarray(0, this.filled);
    if (this.thread === null) return createHash('sha256').update(rest).digest('hex');
    return this.thread.digest(rest);
  }

  /** Ends the work on this file, also where it was not read to its end. */
  end(): void {
    this.thread?.end();
    // A thread may still read the blocks of a reading that failed: the garbage collector frees them.
    if (this.hashing === null && free.length < MAX_FREE) free.push(this.blocks);
  }
}

function newBlock(): Buffer {
  return Buffer.from(new SharedArrayBuffer(BLOCK));
}
