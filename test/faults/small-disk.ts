import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mounts of its own, that nobody else sees and that go with the last process in there. */
const ALONE = ['unshare', '--mount', '--propagation', 'private'];

/** What to run a program with, so that a folder is a disk of its own for it, of so many kilobytes. */
export function onSmallDisk(folder: string, kilobytes: number): string[] {
  const mount = 'mount -t tmpfs -o "size=$1k" tmpfs "$2" && shift 2 && exec "$@"';
  return [...ALONE, 'sh', '-c', mount, 'sh', String(kilobytes), folder];
}

/** Why no process can have a disk of its own here; null when it can. */
export async function whyNoSmallDisk(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'vigie-disk-'));
  try {
    const [command, ...given] = [...onSmallDisk(folder, 4), 'nsenter', '--version'];
    await run(command, given);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.trim().split('\n').slice(-1).join() : String(error);
  } finally {
    await rmdir(folder);
  }
}

/** A path as that process sees it. */
export function seenBy(pid: number, path: string): string {
  return `/proc/${pid}/root${path}`;
}

/** Makes the disk larger under the process. */
export async function enlarge(pid: number, folder: string, kilobytes: number): Promise<void> {
  await run('nsenter', [`--mount=/proc/${pid}/ns/mnt`, 'mount', '-o', `remount,size=${kilobytes}k`, folder]);
}
