import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isFileSystemError } from './file-errors.js';
import { BLOCK, PIECE } from './file-hash.js';
import { HashThreadEnded } from './hash-threads.js';
import { readThrough, type Reading } from './read-through.js';

const PATIENCE_MS = 10_000;
let folder: string;
const opened: FileHandle[] = [];
const never = new AbortController().signal;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Every request to a thread passes here. */
const posted = jest.spyOn(Worker.prototype, 'postMessage');
/** The threads that got a request. */
const threads = () => new Set(posted.mock.contexts as Worker[]);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-through-'));
});

afterEach(async () => {
  posted.mockClear();
  for (const handle of opened.splice(0)) await handle.close();
  await rm(folder, { recursive: true });
});

async function fileOf(content: Buffer, name = 'file'): Promise<FileHandle> {
  await writeFile(join(folder, name), content);
  const handle = await open(join(folder, name));
  opened.push(handle);
  return handle;
}

async function newCopy(): Promise<FileHandle> {
  const handle = await open(join(folder, 'copy'), 'wx');
  opened.push(handle);
  return handle;
}

type Read = (bytes: Buffer, from: number, length: number, at: number) => Promise<{ bytesRead: number }>;

function replaceRead(
  source: FileHandle,
  replacement: (whole: Read, ...given: Parameters<Read>) => unknown,
): void {
  const whole = source.read.bind(source) as Read;
  Object.assign(source, { read: (...given: Parameters<Read>) => replacement(whole, ...given) });
}

function read(source: FileHandle, copy: FileHandle | null = null, signal = never): Promise<Reading> {
  return readThrough(source, copy, signal, () => undefined);
}

describe('reading a file into its hash and a copy', () => {
  const sizes = [PIECE, BLOCK, 2 * BLOCK, 3 * BLOCK].flatMap((size) => [size - 1, size, size + 1]);

  it.each([0, 1, ...sizes, 5 * BLOCK + PIECE + 17])('hashes and copies %d bytes', async (size) => {
    // Not blank: a single random byte may be a space, and then nothing is in the file.
    const content = randomBytes(size).fill('x', 0, Math.min(1, size));
    const reading = await read(await fileOf(content), await newCopy());
    expect(reading).toEqual({ sha256: sha256(content), size, empty: size === 0, not_copied: null });
    expect((await readFile(join(folder, 'copy'))).equals(content)).toBe(true);
  });

  it('hashes a file of one block without a thread, and a larger one in a thread', async () => {
    await read(await fileOf(randomBytes(BLOCK)));
    expect(threads().size).toBe(0);
    await read(await fileOf(randomBytes(BLOCK + 1)));
    expect(threads().size).toBe(1);
  });

  it('hashes what a file system returns in shorter pieces', async () => {
    const content = randomBytes(3 * BLOCK);
    const source = await fileOf(content);
    replaceRead(source, (whole, bytes, from, length, at) =>
      whole(bytes, from, Math.min(length, 100_000), at),
    );
    const reading = await read(source, await newCopy());
    expect(reading).toMatchObject({ sha256: sha256(content), size: content.length });
    expect((await readFile(join(folder, 'copy'))).equals(content)).toBe(true);
  });

  it('hashes more files at a time than there are threads', async () => {
    const contents = Array.from({ length: 3 * availableParallelism() }, () => randomBytes(3 * BLOCK + 5));
    const sources = await Promise.all(contents.map((content, index) => fileOf(content, `file-${index}`)));
    const readings = await Promise.all(sources.map((source) => read(source)));
    expect(readings.map((reading) => reading.sha256)).toEqual(contents.map(sha256));
    expect(threads().size).toBe(availableParallelism());
  });

  it('leaves no file to the thread of an aborted reading: it ends', async () => {
    const abort = new AbortController();
    const source = await fileOf(randomBytes(4 * BLOCK));
    const reading = readThrough(source, null, abort.signal, (bytes) => {
      if (bytes > 2 * BLOCK) abort.abort(new Error('the lease is lost'));
    });
    await expect(reading).rejects.toThrow('the lease is lost');
    const [thread] = threads();
    if (thread === undefined) throw new Error('the reading used no thread');
    await once(thread, 'exit', { signal: AbortSignal.timeout(PATIENCE_MS) });
  });

  it('throws a read error, and hashes the next file correctly', async () => {
    const content = randomBytes(4 * BLOCK);
    const source = await fileOf(content);
    let failures = 1;
    replaceRead(source, async (whole, bytes, from, length, at) => {
      if (at < 2 * BLOCK || failures === 0) return whole(bytes, from, length, at);
      failures -= 1;
      throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' });
    });
    await expect(read(source)).rejects.toThrow('EIO');
    expect(await read(source)).toMatchObject({ sha256: sha256(content) });
  });

  it('hashes a whole file whose copy fails', async () => {
    const content = randomBytes(4 * BLOCK);
    const copy = await newCopy();
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    jest.spyOn(copy, 'write').mockRejectedValueOnce(full);
    const reading = await read(await fileOf(content), copy);
    expect(reading).toMatchObject({ sha256: sha256(content), size: content.length, not_copied: full });
  });

  it('fails like a read error if the thread ends instead of answering, and starts another', async () => {
    const content = randomBytes(2 * BLOCK + 1);
    const source = await fileOf(content);
    posted.mockImplementationOnce(function (this: Worker) {
      void this.terminate();
    });
    await expectThreadEnded(read(source));
    expect(await read(source)).toMatchObject({ sha256: sha256(content) });
    expect(threads().size).toBe(2);
  });

  it('fails like a read error if the thread ends between two blocks', async () => {
    const source = await fileOf(randomBytes(20 * BLOCK));
    const exits: Promise<unknown>[] = [];
    const reading = readThrough(source, null, never, (bytes) => {
      const [thread] = threads();
      if (bytes > 2 * BLOCK && exits.length === 0) exits.push(Promise.resolve(thread?.terminate()));
    });
    await expectThreadEnded(reading);
    await Promise.all(exits);
  });
});

async function expectThreadEnded(reading: Promise<Reading>): Promise<void> {
  const failure: unknown = await reading.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HashThreadEnded);
  expect(isFileSystemError(failure)).toBe(true);
}
