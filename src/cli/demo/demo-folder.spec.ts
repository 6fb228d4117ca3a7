import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../../test/support/until.js';
import { startEmbedded } from '../../platform/embedded/embedded.js';
import { takeDemoFolder } from './demo-folder.js';

let root: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vigie-demo-'));
  await chmod(root, 0o755);
});
afterEach(async () => {
  await Promise.all(
    [...children].map((child) => new Promise((ended) => child.once('close', ended).kill('SIGTERM'))),
  );
  await rm(root, { recursive: true, force: true });
});

/** Every file below a folder with its text. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')])),
  );
}

interface Demo {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

function demo(args: readonly string[], environment: Record<string, string> = {}): Demo {
  const child = spawn(process.execPath, [resolve('dist/cli/vigie.js'), 'demo', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((done) =>
    child.once('close', (code) => {
      children.delete(child);
      done(code);
    }),
  );
  return { child, output: () => output, ended };
}

describe('R1: the folder of the demo', () => {
  it('R1: a real installation’s data directory is refused with a reason, and nothing in it changes', async () => {
    const real = join(root, 'data');
    const embedded = await startEmbedded({
      data_dir: real,
      postgres: false,
      redis: true,
      log: () => undefined,
    });
    await embedded.stop();
    await mkdir(join(real, 'postgres'));
    await writeFile(join(real, 'postgres', 'PG_VERSION'), '18\n');
    const before = await contents(real);

    const { ended, output } = demo(['--exit', '--data', real]);
    expect(await ended).toBe(1);
    expect(output()).toMatch(
      /data was not created by the demo \(it has no vigie-demo\.json and contains ports\.json, postgres, /,
    );
    expect(output()).toContain('--data');
    expect(await contents(real)).toEqual(before);
  });

  it('R1: a folder with other files, or a file, is refused as well', async () => {
    await writeFile(join(root, 'letter.txt'), 'dear');
    await expect(takeDemoFolder(root)).rejects.toThrow('contains letter.txt');
    await expect(takeDemoFolder(join(root, 'letter.txt'))).rejects.toThrow('is not a folder');
    expect(await readdir(root)).toEqual(['letter.txt']);
  });

  it('R1: a new, an empty and an earlier demo’s folder are accepted; only the last is emptied, of the demo’s files', async () => {
    const path = join(root, 'deep', 'demo');
    const first = await takeDemoFolder(path);
    await mkdir(join(path, 'postgres'));
    await writeFile(join(path, 'server.log'), 'lines');
    await writeFile(join(path, 'sms.ndjson'), '{}');
    await writeFile(join(path, 'notes.txt'), 'a person’s');
    await first.release();
    const second = await takeDemoFolder(path);
    await second.release();
    expect((await readdir(path)).toSorted()).toEqual(['notes.txt', 'vigie-demo.json']);
    await mkdir(join(root, 'empty'));
    await (await takeDemoFolder(join(root, 'empty'))).release();
  });

  it('R1: a real server refuses a demo’s folder, which the next demo would empty', async () => {
    await (await takeDemoFolder(join(root, 'demo'))).release();
    const server = spawn(process.execPath, [resolve('dist/main.js')], {
      cwd: root,
      env: { PATH: process.env.PATH, VIGIE_DATA_DIR: join(root, 'demo') },
    });
    let output = '';
    server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise((done) => server.once('close', done));
    expect([code, output]).toEqual([1, expect.stringContaining('belongs to the demo')]);
  });

  it('R2: a folder is locked before anything is removed from it', async () => {
    const first = await takeDemoFolder(root);
    await first.recordPort(3456);
    await writeFile(join(root, 'server.log'), 'lines');
    const refusal = `a demo is already running in ${root} (process ${process.pid}, http://127.0.0.1:3456)`;
    await expect(takeDemoFolder(root)).rejects.toThrow(refusal);
    expect(await readFile(join(root, 'server.log'), 'utf8')).toBe('lines');
    await first.release();
    await (await takeDemoFolder(root)).release();
    expect(existsSync(join(root, 'server.log'))).toBe(false);
  });
});

test('R13: the demo honours PORT, says so where it is taken, and reads no .env and no DATABASE_URL', async () => {
  const squatter = createServer();
  await new Promise<void>((listening) => squatter.listen(0, '127.0.0.1', listening));
  const { port } = squatter.address() as { port: number };
  await writeFile(join(root, '.env'), 'not a setting\n');
  const { ended, output } = demo(['--data', join(root, 'demo')], {
    PORT: String(port),
    DATABASE_URL: 'of a real installation',
  });
  expect(await ended).toBe(1);
  expect(output()).toBe(`port ${port} is in use by another program: set PORT to another port, or unset it\n`);
  await new Promise((closed) => squatter.close(closed));
});

describe('R13: a demo as root, then as another user', () => {
  const asRoot = process.getuid?.() === 0 ? it : undefined;

  asRoot?.('R13: says whose the folder is, and what to do', async () => {
    await (await takeDemoFolder(join(root, 'demo'))).release();
    await chmod(join(root, 'demo'), 0o711);
    await chown(root, 65_534, 65_534);
    // A process that drops its privileges, on a copy that it can read.
    const built = pathToFileURL(resolve('dist/cli/demo/demo-folder.js')).href;
    const script = `const { takeDemoFolder } = await import(${JSON.stringify(built)});
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      await takeDemoFolder(${JSON.stringify(join(root, 'demo'))}).then(() => console.log('taken'), ({ message }) => console.log(message));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: '/' });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((done) => child.once('close', done));
    expect(output).toContain('cannot be used (EACCES; it belongs to root): remove it as its owner');
  });
});

test('R2: a demo meets all its expectations; a second one reports that it is running, where, and does not disturb it', async () => {
  const data = join(root, 'demo');
  const { child, ended, output } = demo(['--exit', '--data', data]);
  // The folder is locked and the port recorded before.
  await until('the server', () => existsSync(join(data, 'server.log')), 90_000);
  const second = demo(['--data', data]);
  expect(await second.ended).toBe(1);
  const url = /http:[^)]+/.exec(second.output())?.[0];
  expect(second.output()).toBe(
    `a demo is already running in ${data} (process ${child.pid}, ${url}): stop it with Ctrl-C, or choose another ` +
      'folder with --data\n',
  );
  expect(await ended).toBe(0);
  expect(output()).toMatch(/All \d+ expectations were met\.\n$/);
  // The next one finds none of its messages and data.
  await (await takeDemoFolder(data)).release();
  const kept = ['ports.json', 'postgres.log', 'redis.log', 'secrets.json', 'vigie-demo.json'];
  expect((await readdir(data)).toSorted()).toEqual(kept);
}, 240_000);

test('Ctrl-C stops a demo and its services with 130', async () => {
  const data = join(root, 'demo');
  const { child, ended } = demo(['--data', data]);
  await until('the server', () => existsSync(join(data, 'server.log')), 90_000);
  const at = performance.now();
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  // What waits for the server waits up to 90 s.
  expect(performance.now() - at).toBeLessThan(30_000);
  await (await takeDemoFolder(data)).release();
}, 120_000);
