import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, mkdir, readdir } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchContext } from '../context.js';
import { startEntry } from './processes.js';
import { until } from './time.js';

/** A mail server that accepts everything and keeps nothing. */
export interface Sink {
  port: number;
  stop(): Promise<void>;
}

interface Program {
  file: string;
  libraries: string;
}

const run = promisify(execFile);
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vigie-bench');

/** Starts Postfix's smtp-sink, from this machine or Debian's package; else our own, with a note in the table. */
export async function startSink(context: BenchContext): Promise<Sink> {
  const program = (await installed()) ?? (await fromPackage().catch(() => null));
  if (program === null) {
    context.note("Postfix's smtp-sink could not be had: mail went to a sink of the bench's own");
    const sink = await startEntry('sink');
    return { port: Number(sink.url), stop: () => sink.stop() };
  }
  const port = await freePort();
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(program.file, [...user, `127.0.0.1:${port}`, '1000'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, LD_LIBRARY_PATH: program.libraries },
  });
  // In case the bench exits early.
  process.once('exit', () => child.kill());
  await until('smtp-sink', () => listens(port), { timeoutMs: 5_000 });
  return { port, stop: () => ended(child) };
}

async function installed(): Promise<Program | null> {
  for (const folder of ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin']) {
    const file = join(folder, 'smtp-sink');
    if (await exists(file)) return { file, libraries: '' };
  }
  return null;
}

/** Unpacks the package with its missing dependencies into a cache; installs no mail server. */
async function fromPackage(): Promise<Program | null> {
  const root = join(CACHE, 'postfix');
  const program = { file: join(root, 'usr/sbin/smtp-sink'), libraries: join(root, 'usr/lib/postfix') };
  if (await exists(program.file)) return program;
  await mkdir(join(CACHE, 'archives/partial'), { recursive: true });
  const archives = join(CACHE, 'archives');
  await run('apt-get', [
    ...['install', '--yes', '--no-install-recommends', '--download-only'],
    ...['--option', 'Debug::NoLocking=1', '--option', `Dir::Cache::archives=${archives}`],
    'postfix',
  ]);
  for (const name of await readdir(archives)) {
    if (name.endsWith('.deb')) await run('dpkg', ['--extract', join(archives, name), root]);
  }
  return (await exists(program.file)) ? program : null;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answer = await new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return answer;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await end;
}
