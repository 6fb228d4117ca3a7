import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HASH_THREAD_SOURCE, type HashAnswer, type HashRequest } from './hash-thread.js';

/** A thread without a file ends after this long, in ms. */
const IDLE_MS = 1_000;
const MAX_THREADS = availableParallelism();

/** The thread that hashed a file ended. Handled like a read error: the next scan reads the file again. */
export class HashThreadEnded extends Error {
  readonly syscall = 'read';

  constructor(cause: unknown) {
    super('the thread that computed the hash of the file ended', { cause });
  }
}

/** The running threads: none in a process that reads no large file. */
const threads = new Set<HashThread>();
let files = 0;

/** A file whose bytes are hashed by a thread. The caller ends it. */
export class ThreadHash {
  private readonly file = (files += 1);
  private readonly thread: HashThread;

  /** Chooses the thread with the fewest files; starts one if all have files and there may be more. */
  constructor() {
    const [idlest] = [...threads].sort((one, other) => one.files.size - other.files.size);
    const isBusy = idlest === undefined || idlest.files.size > 0;
    this.thread = isBusy && threads.size < MAX_THREADS ? new HashThread() : (idlest ?? new HashThread());
    this.thread.begin(this.file);
  }

  /**
   * Hashes the next bytes of the file; one call at a time.
   * @param bytes in shared memory; they must not change before the promise settles
   * @throws HashThreadEnded
   */
  async update(bytes: Uint8Array): Promise<void> {
    await this.thread.request(this.file, bytes, false);
  }

  /** Hashes the last bytes. @returns the SHA-256, hexadecimal. @throws HashThreadEnded */
  async digest(bytes: Uint8Array): Promise<string> {
    const { sha256 } = await this.thread.request(this.file, bytes, true);
    return sha256 ?? '';
  }

  end(): void {
    this.thread.end(this.file);
  }
}

interface Waiting {
  resolve: (answer: HashAnswer) => void;
  reject: (error: Error) => void;
}

/** A thread, and the requests that it has not answered. */
class HashThread {
  /** The files that it hashes. */
  readonly files = new Set<number>();
  private readonly waiting = new Map<number, Waiting>();
  private readonly worker: Worker;
  private idle: NodeJS.Timeout | undefined;
  private ended: HashThreadEnded | null = null;

  constructor() {
    // Without the options of this process: what they load (NODE_OPTIONS) is not for a thread that only hashes.
    this.worker = new Worker(HASH_THREAD_SOURCE, { eval: true, env: {}, execArgv: [], name: 'hash' });
    this.worker.on('message', (answer: HashAnswer) => {
      this.waiting.get(answer.file)?.resolve(answer);
      this.waiting.delete(answer.file);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', (code) => this.fail(new Error(`exit code ${code}`)));
    threads.add(this);
  }

  begin(file: number): void {
    clearTimeout(this.idle);
    this.files.add(file);
    this.worker.ref();
  }

  request(file: number, bytes: Uint8Array, last: boolean): Promise<HashAnswer> {
    return new Promise((resolve, reject) => {
      if (this.ended !== null) {
        reject(this.ended);
        return;
      }
      this.waiting.set(file, { resolve, reject });
      this.post({ file, bytes, last });
    });
  }

  end(file: number): void {
    this.files.delete(file);
    this.waiting.delete(file);
    this.post({ file, bytes: null, last: false });
    if (this.files.size > 0 || this.ended !== null) return;
    // An idle thread does not delay the end of the process.
    this.worker.unref();
    this.idle = setTimeout(() => {
      threads.delete(this);
      void this.worker.terminate();
    }, IDLE_MS).unref();
  }

  private post(request: HashRequest): void {
    this.worker.postMessage(request);
  }

  private fail(cause: unknown): void {
    threads.delete(this);
    clearTimeout(this.idle);
    this.ended ??= new HashThreadEnded(cause);
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }
}
