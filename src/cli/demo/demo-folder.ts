import { lstat, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DEMO_MARKER } from '../../platform/embedded/demo-marker.js';
import { acquireLock, LockHeldError } from '../../platform/embedded/lock.js';
import { clearPredecessor } from '../../platform/embedded/postmaster.js';
import { findAccount } from '../../platform/embedded/processes.js';

/** A killed demo's server drains for up to 20 s. */
const SERVER_ENDS_WITHIN_MS = 30_000;
const POLL_MS = 200;

/** Everything that a demo writes and the next one removes, besides its lock and its marker. */
const LEFTOVERS = ['postgres', 'demo-backups', 'caught-mails', 'sms.ndjson', 'server.log'];

/** A folder used only by this demo, without an earlier demo's files. */
export interface DemoFolder {
  /** Absolute. */
  path: string;
  /** Records the demo's port, for the refusal of a second demo. */
  recordPort(port: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes a folder for the demo: a new one, an empty one, or one that an earlier demo marked. Nothing is written or
 * removed before that is certain, and nothing is removed before the folder is locked.
 * @throws Error with the folder and the remedy: it has other files, another demo uses it, this user may not open it.
 */
export async function takeDemoFolder(path: string): Promise<DemoFolder> {
  try {
    await assertUsable(path);
    await mkdir(dirname(path), { recursive: true });
    // As root: open to the system user that PostgreSQL runs as.
    await mkdir(path, { recursive: true, mode: 0o711 });
    await mark(path);
    const release = await lock(path);
    try {
      await removeLeftovers(path);
    } catch (error) {
      await release();
      throw error;
    }
    return { path, recordPort: (port) => record(path, port), release };
  } catch (error) {
    throw await inWords(path, error);
  }
}

async function assertUsable(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isDirectory()) throw new Error(`${path} is not a folder: choose another with --data`);
  const names = await readdir(path);
  if (names.length === 0 || names.includes(DEMO_MARKER)) return;
  throw new Error(
    `${path} was not created by the demo (it has no ${DEMO_MARKER} and contains ${list(names)}). The demo deletes the ` +
      'contents of its folder at each start: choose a new or empty folder with --data',
  );
}

function list(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

async function mark(path: string): Promise<void> {
  await writeFile(join(path, DEMO_MARKER), markerText(null), { flag: 'wx', mode: 0o644 }).catch(
    (error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    },
  );
}

function markerText(port: number | null): string {
  const purpose = 'vigie demo created this folder and deletes its contents at each start';
  return `${JSON.stringify({ purpose, port })}\n`;
}

async function record(path: string, port: number): Promise<void> {
  await writeFile(join(path, DEMO_MARKER), markerText(port));
}

async function lock(path: string): Promise<() => Promise<void>> {
  try {
    return await acquireLock(join(path, 'demo.lock'));
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    const port = await recordedPort(path);
    const where = port === null ? '' : `, http://127.0.0.1:${port}`;
    throw new Error(
      `a demo is already running in ${path} (${error.holder}${where}): stop it with Ctrl-C, or choose ` +
        'another folder with --data',
      { cause: error },
    );
  }
}

async function recordedPort(path: string): Promise<number | null> {
  try {
    const { port } = JSON.parse(await readFile(join(path, DEMO_MARKER), 'utf8')) as { port?: unknown };
    return typeof port === 'number' ? port : null;
  } catch {
    // It is being written, or the first demo has not chosen its port yet.
    return null;
  }
}

/** Removes an earlier demo's files after its server, which may outlive a killed demo, has ended. */
async function removeLeftovers(path: string): Promise<void> {
  const release = await lockAfterServer(join(path, 'vigie.lock'));
  try {
    const cluster = join(path, 'postgres');
    await clearPredecessor(cluster, () => undefined);
    for (const name of LEFTOVERS) await rm(join(path, name), { recursive: true, force: true });
  } finally {
    await release();
  }
}

async function lockAfterServer(path: string): Promise<() => Promise<void>> {
  const deadline = performance.now() + SERVER_ENDS_WITHIN_MS;
  for (;;) {
    try {
      return await acquireLock(path);
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      if (performance.now() > deadline)
        throw new Error(`the server of an earlier demo is still running (${error.holder}): stop it`, {
          cause: error,
        });
      await delay(POLL_MS);
    }
  }
}

/** An ordinary user cannot open a folder of root's demo: names its owner. */
async function inWords(path: string, error: unknown): Promise<unknown> {
  const code = codeOf(error);
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return error;
  const owner = await ownerOf(path);
  return new Error(
    `${path} cannot be used (${code}${owner === undefined ? '' : `; it belongs to ${owner}`}): remove it as its ` +
      'owner, or choose another folder with --data',
    { cause: error },
  );
}

async function ownerOf(path: string): Promise<string | undefined> {
  const uid = (await lstat(path).catch(() => undefined))?.uid;
  return uid === undefined ? undefined : ((await findAccount(uid))?.name ?? `user ${uid}`);
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
