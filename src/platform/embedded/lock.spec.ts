import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock } from './lock.js';
import { processSpace } from './processes.js';

const HEARTBEATS = { intervalMs: 100, silenceMs: 1_000 };
/** Less than the default wait for heartbeats. */
const AT_ONCE_MS = 5_000;

let dir: string;
let path: string;
let release: (() => Promise<void>) | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigie-lock-'));
  path = join(dir, 'vigie.lock');
});
afterEach(async () => {
  await release?.();
  release = undefined;
  await rm(dir, { recursive: true, force: true });
});

/** The lock of a process 1 in another container. */
async function writeForeignLock(holder: object = {}): Promise<void> {
  const other = { pid: 1, started: '0', host: hostname(), space: 'this-boot pid:[another]', ...holder };
  await writeFile(path, JSON.stringify(other));
}

describe('H25: a lock whose holder is in another container with the same host name', () => {
  it('is refused while that holder sends heartbeats', async () => {
    await writeForeignLock();
    const heartbeat = setInterval(() => {
      void utimes(path, new Date(), new Date());
    }, HEARTBEATS.intervalMs);
    try {
      await expect(acquireLock(path, HEARTBEATS)).rejects.toThrow(
        `locked by process 1 of another host or container (host name ${hostname()})`,
      );
    } finally {
      clearInterval(heartbeat);
    }
  });

  it('is taken when no heartbeat arrives', async () => {
    await writeForeignLock();
    release = await acquireLock(path, HEARTBEATS);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      pid: process.pid,
      host: hostname(),
      space: await processSpace(),
    });
  });

  it('is taken at once when its last heartbeat is long ago', async () => {
    await writeForeignLock();
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(path, longAgo, longAgo);
    const began = performance.now();
    release = await acquireLock(path);
    expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
  });

  it('names a boot and a pid namespace on Linux, and nothing elsewhere', async () => {
    expect(await processSpace()).toMatch(process.platform === 'linux' ? /^[0-9a-f-]{36} pid:\[\d+\]$/ : /^$/);
  });
});

it('a lock of a dead process of this boot and namespace is taken at once', async () => {
  await writeForeignLock({ pid: 2 ** 30, space: await processSpace() });
  const began = performance.now();
  release = await acquireLock(path);
  expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
});
