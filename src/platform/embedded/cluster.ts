import { execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Binaries } from './binaries.js';
import { findAccount, isRoot, postgresAccount, type Account } from './processes.js';

/** The PostgreSQL data directory within the data directory. */
export const clusterDir = (data_dir: string): string => join(data_dir, 'postgres');

/**
 * The user that PostgreSQL has to run as; undefined for this process's user. It requires its files to belong to that
 * user.
 */
export async function clusterAccount(data_dir: string): Promise<Account | undefined> {
  const owner = (await stat(clusterDir(data_dir)).catch(() => undefined))?.uid;
  if (isRoot()) {
    return owner === undefined || owner === 0
      ? postgresAccount()
      : ((await findAccount(owner)) ?? nameless(owner));
  }
  if (owner !== undefined && owner !== process.getuid?.()) {
    const name = (await findAccount(owner))?.name ?? String(owner);
    throw new Error(
      `${clusterDir(data_dir)} belongs to the user ${name}: start as ${name} or as root, ` +
        'or choose another VIGIE_DATA_DIR',
    );
  }
  return undefined;
}

const nameless = (uid: number): Account => ({ uid, gid: uid, name: String(uid) });

/**
 * The path by which PostgreSQL can reach a folder. If the folder's parents are closed to its user, the path is relative
 * to the working directory, which root sets before it drops its rights.
 */
export async function nameFor(account: Account | undefined, dir: string): Promise<string> {
  if (account === undefined || (await canEnter(account, dir))) return dir;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new Error(
    `PostgreSQL runs as the user ${account.name}, who cannot reach ${dir}: open the folders above it ` +
      'with chmod o+x, or choose another VIGIE_DATA_DIR',
  );
}

function canEnter({ uid, gid }: Account, dir: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], { uid, gid, cwd: '/', env: {} }, (error) =>
      resolve(error === null),
    );
  });
}

/** Creates the cluster if there is none. It gets its final name only when complete. */
export async function ensureCluster(options: {
  data_dir: string;
  account: Account | undefined;
  binaries: Binaries;
  password: string;
  durable: boolean;
  log: (line: string) => void;
}): Promise<void> {
  const { data_dir, account, log } = options;
  const target = clusterDir(data_dir);
  if ((await stat(join(target, 'PG_VERSION')).catch(() => undefined)) !== undefined) return;
  log('Creating the PostgreSQL database cluster (first start)');
  await removeDrafts(target);
  // A new name each time: an initdb whose parent was killed may still be writing to an earlier one.
  const draft = await mkdtemp(`${target}.new-`);
  try {
    if (account !== undefined) await chown(draft, account.uid, account.gid);
    await initdb(draft, options);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function removeDrafts(target: string): Promise<void> {
  const prefix = `${basename(target)}.new-`;
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(prefix)) await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

async function initdb(
  dir: string,
  options: { account: Account | undefined; binaries: Binaries; password: string; durable: boolean },
): Promise<void> {
  const { account, binaries, password, durable } = options;
  const password_file = `${dir}.password`;
  await writeFile(password_file, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (account !== undefined) await chown(password_file, account.uid, account.gid);
  const file = await open(password_file, 'r');
  await rm(password_file);
  try {
    const args = [
      `--pgdata=${await nameFor(account, dir)}`,
      '--username=postgres',
      '--pwfile=/dev/fd/3',
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's built-in C.UTF-8 is the same on every machine, so an index made here is valid everywhere.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...(durable ? [] : ['--no-sync']),
    ];
    const child = spawn(binaries.initdb, args, {
      cwd: dir,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe', file.fd],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
    if (code !== 0) throw new Error(`initdb failed (${String(code)}): ${said.trim()}`);
  } finally {
    await file.close();
  }
}
