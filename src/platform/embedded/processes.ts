import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The system user that a service runs as. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** Identifies a process even after its pid is reused. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, as the system writes it (clock ticks since boot on Linux); no blanks. */
  started: string;
}

/**
 * The scope of a pid: this boot of this kernel, and the pid namespace within it. Two containers can share a host name
 * and a volume, and each has a process 1. Empty outside Linux, where there are no such namespaces.
 */
export async function processSpace(): Promise<string> {
  if (process.platform !== 'linux') return '';
  const [boot, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ]);
  return `${boot.trim()} ${namespace}`;
}

export const isRoot = (): boolean => process.getuid?.() === 0;

/** When the process started, or undefined when it does not exist (or is a zombie). */
export async function startedAt(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const listed = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
    const started = listed?.stdout.replace(/\s/g, '');
    return started === '' ? undefined : started;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The command's name, in parentheses, may itself contain blanks and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  return (await startedAt(pid)) === started;
}

/** True once the process is gone, false when it still exists after `timeout_ms`. */
export async function waitForEnd(identity: ProcessIdentity, timeout_ms: number): Promise<boolean> {
  const deadline = performance.now() + timeout_ms;
  while (await isRunning(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** Signals exactly this process; does nothing if it has ended meanwhile. */
export async function signal(identity: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(identity))) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks a process to end, insists after `patience_ms`, and throws when it stays. */
export async function endProcess(
  identity: ProcessIdentity,
  { ask, insist, patience_ms }: { ask: NodeJS.Signals; insist: NodeJS.Signals; patience_ms: number },
): Promise<void> {
  await signal(identity, ask);
  if (await waitForEnd(identity, patience_ms)) return;
  await signal(identity, insist);
  if (!(await waitForEnd(identity, 5_000))) throw new Error(`process ${identity.pid} does not exit`);
}

/** Looks a user up by name or number. */
export async function findAccount(user: string | number): Promise<Account | undefined> {
  const ask = async (flag: string): Promise<string> => (await run('id', [flag, String(user)])).stdout.trim();
  try {
    const [uid, gid, name] = [Number(await ask('-u')), Number(await ask('-g')), await ask('-un')];
    return { uid, gid, name };
  } catch {
    return undefined;
  }
}

/**
 * The system user `postgres`, for a server that runs as root, as which PostgreSQL refuses to run.
 * @throws Error when the machine has none. A server never changes accounts: that is its operator's job.
 */
export async function postgresAccount(): Promise<Account> {
  const account = await findAccount('postgres');
  if (account !== undefined) return account;
  throw new Error(
    'PostgreSQL refuses to run as root, and this machine has no user "postgres": start Vigie as an ' +
      'ordinary user, or create that user ("useradd --system --user-group --no-create-home --shell ' +
      '/usr/sbin/nologin postgres"), or set DATABASE_URL',
  );
}
