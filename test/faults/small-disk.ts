import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Private mounts, invisible to others, that end with their last process. */
const ALONE = ['unshare', '--mount', '--propagation', 'private'];

/** The command prefix that makes a folder a separate disk of so many kilobytes for a program. */
export function onSmallDisk(folder: string, kilobytes: number): string[] {
  const mount = 'mount -t tmpfs -o "size=$1k" tmpfs "$2" && shift 2 && exec "$@"';
  return [...ALONE, 'sh', '-c', mount, 'sh', String(kilobytes), folder];
}

/** Why a process cannot have a separate disk here; null if it can. */
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

/** Enlarges the disk while the process runs. */
export async function enlarge(pid: number, folder: string, kilobytes: number): Promise<void> {
  await run('nsenter', [`--mount=/proc/${pid}/ns/mnt`, 'mount', '-o', `remount,size=${kilobytes}k`, folder]);
}
