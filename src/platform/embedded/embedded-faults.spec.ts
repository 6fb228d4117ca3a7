import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../../test/support/until.js';
import { Daemon } from './daemon.js';
import { type Embedded, startEmbedded } from './embedded.js';
import { isRunning, startedAt } from './processes.js';
import { Watchdog } from './watchdog.js';

let data_dir: string;
let embedded: Embedded | undefined;
let lines: string[];
const log = (line: string) => void lines.push(line);

beforeEach(async () => {
  lines = [];
  data_dir = await mkdtemp(join(tmpdir(), 'vigie-embedded-'));
  await chmod(data_dir, 0o755);
});
afterEach(async () => {
  await embedded?.stop();
  embedded = undefined;
  await rm(data_dir, { recursive: true, force: true });
});

/** The processes that this one has started, by pid. */
function childrenOf(parent: number): number[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, command]) => Number(ppid) === parent && command !== 'ps')
    .map(([pid]) => Number(pid));
}

it('H25: services whose ports cannot be saved are stopped again, and the data directory is free', async () => {
  // A target that no file can be renamed onto.
  await mkdir(join(data_dir, 'ports.json', 'full'), { recursive: true });
  const before = childrenOf(process.pid);

  await expect(startEmbedded({ data_dir, postgres: true, redis: true, durable: false, log })).rejects.toThrow(
    'ports.json',
  );

  expect(lines.join('\n')).toContain('PostgreSQL is ready');
  await until('its children to end', () => childrenOf(process.pid).every((pid) => before.includes(pid)));
  expect(existsSync(join(data_dir, 'vigie.lock'))).toBe(false);
  expect(existsSync(join(data_dir, 'postgres', 'postmaster.pid'))).toBe(false);
});

it('H25: a server that runs as root creates no system user and explains what to do', async () => {
  const bin = join(data_dir, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'id'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await writeFile(join(bin, 'useradd'), `#!/bin/sh\n: > "${data_dir}/created"\n`, { mode: 0o755 });
  const built = pathToFileURL(join(process.cwd(), 'dist', 'platform', 'embedded', 'processes.js')).href;
  // A separate process: Jest's environment is a copy, which does not reach the programs that it starts.
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { postgresAccount } from ${JSON.stringify(built)};
       await postgresAccount().then(() => console.log('found'), ({ message }) => console.log(message));`,
    ],
    { encoding: 'utf8', env: { PATH: `${bin}:${process.env.PATH ?? ''}` } },
  );
  expect(stdout).toContain('start Vigie as an ordinary user, or create that user');
  expect(existsSync(join(data_dir, 'created'))).toBe(false);
});

describe('H26: the watchdog', () => {
  it('refuses the start when it cannot be started', async () => {
    await expect(Watchdog.start(log, join(data_dir, 'no-shell'))).rejects.toThrow(
      'cannot start the watchdog of PostgreSQL and Redis',
    );
  });

  it('is logged when it ends unexpectedly', async () => {
    const before = childrenOf(process.pid);
    embedded = await startEmbedded({ data_dir, postgres: false, redis: true, log });
    const redis = parseInt(await readFile(join(data_dir, 'redis.pid'), 'utf8'), 10);
    const [watchdog] = childrenOf(process.pid).filter((pid) => !before.includes(pid) && pid !== redis);
    process.kill(watchdog!, 'SIGKILL');
    await until('a line', () => lines.some((line) => line.startsWith('The watchdog ended (SIGKILL)')));
  });

  it('stays while a service that it guards still runs', async () => {
    const watchdog = await Watchdog.start(log);
    const daemon = await Daemon.start({
      name: 'A service',
      file: '/bin/sleep',
      args: ['60'],
      cwd: '/',
      account: undefined,
      log_file: join(data_dir, 'service.log'),
      end: { ask: 'SIGTERM', insist: 'SIGKILL' },
      watchdog,
      log,
    });
    expect(await watchdog.dismiss()).toBe(false);
    await daemon.stop();
    expect(await isRunning(daemon.identity)).toBe(false);
    expect(await watchdog.dismiss()).toBe(true);
    expect(lines).toEqual([]);
  });
});

it("H26: only the end of a service's log is read", async () => {
  const watchdog = await Watchdog.start(log);
  const daemon = await Daemon.start({
    name: 'A service',
    file: '/bin/sh',
    args: ['-c', 'head -c 5000000 /dev/zero | tr "\\0" x; echo; echo the last line'],
    cwd: '/',
    account: undefined,
    log_file: join(data_dir, 'service.log'),
    end: { ask: 'SIGTERM', insist: 'SIGKILL' },
    watchdog,
    log,
  });
  await until('its end', async () => (await startedAt(daemon.identity.pid)) === undefined);
  const output = await daemon.output();
  expect(output.length).toBeLessThanOrEqual(64 * 1_024);
  expect(output.endsWith('x\nthe last line')).toBe(true);
  await watchdog.dismiss();
});
