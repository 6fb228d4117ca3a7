import type { Hash } from 'node:crypto';

/** The next bytes of a file to hash, or none if its reading ended early. */
export interface HashRequest {
  file: number;
  /** Shared memory: it must not change until the answer. Null drops the file. */
  bytes: Uint8Array | null;
  /** These are the last bytes: answer with the hash. */
  last: boolean;
}

/** The bytes of a request are hashed. */
export interface HashAnswer {
  file: number;
  /** Hexadecimal; null before the last bytes. */
  sha256: string | null;
}

/** Computes the SHA-256 of several files at a time. Runs in a thread: it may use nothing from outside its body. */
function hashFiles(): void {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const hashes = new Map<number, Hash>();
  parentPort?.on('message', ({ file, bytes, last }: HashRequest) => {
    const hash = hashes.get(file) ?? createHash('sha256');
    if (bytes === null || last) hashes.delete(file);
    else hashes.set(file, hash);
    if (bytes === null) return;
    hash.update(bytes);
    const answer: HashAnswer = { file, sha256: last ? hash.digest('hex') : null };
    parentPort.postMessage(answer);
  });
}

/** The thread's program. Source text, because a thread's file would need one path in `dist` and another in the tests. */
export const HASH_THREAD_SOURCE = `(${hashFiles.toString()})()`;
