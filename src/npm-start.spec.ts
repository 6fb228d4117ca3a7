import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createDatabase, environmentFor, type TestDatabase } from '../test/support/database.js';
import { until } from '../test/support/until.js';

describe('npm start', () => {
  let database: TestDatabase;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    database = await createDatabase();
  });
  afterEach(() => {
    // npm leads a separate process group, so nothing of it outlives a failed test.
    if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  });
  afterAll(() => database.drop());

  /** @returns its output, and its exit code. */
  function start() {
    child = spawn('npm', ['start'], {
      detached: true,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        VIGIE_ENV_FILE: '',
        ...environmentFor(database),
        LOG_LEVEL: 'info',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return { npm: child, output: () => output };
  }

  it('R6: SIGTERM to npm stops the server, which drains', async () => {
    const { npm, output } = start();
    await until('the start', () => output().includes('"event":"started"'), 60_000);
    npm.kill('SIGTERM');
    expect(await once(npm, 'close')).toEqual([0, null]);
    expect(output()).toContain('"event":"stopping","signal":"SIGTERM"');
    const url = /"url":"([^"]+)"/.exec(output())![1]!;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  }, 90_000);

  it('R6: a Ctrl-C that npm and the terminal both send also drains', async () => {
    const { npm, output } = start();
    await until('the start', () => output().includes('"event":"started"'), 60_000);
    // To the whole group, like a terminal.
    process.kill(-npm.pid!, 'SIGINT');
    await once(npm, 'close');
    expect(output()).toContain('"event":"stopping","signal":"SIGINT"');
    expect(npm.exitCode).toBe(0);
  }, 90_000);
});
