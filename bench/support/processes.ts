import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of the bench. It always ends with the bench, because the channel closes. */
export interface Child {
  pid: number;
  /** Its URL, if it listens. */
  url: string;
  /** Calls the listener with each output line. */
  onLine(listener: (line: string) => void): void;
  /** Sends a request to a program of bench/entries; resolves with its answer. */
  ask<Answer>(request: object): Promise<Answer>;
  stop(): Promise<void>;
}

const children = new Set<Child>();

/** Starts the real server in these roles, or an entry that replaces a part of it. */
export async function startServer(
  environment: Record<string, string>,
  roles: string,
  entry?: URL,
): Promise<Child> {
  const main = entry ?? new URL(import.meta.resolve('#vigie/main.js'));
  const { child, lines } = spawnNode(main, { ...environment, VIGIE_ROLES: roles });
  const url = await new Promise<string>((resolve, reject) => {
    lines.add((line) => {
      const found = /"event":"started","url":"([^"]+)"/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`a server of the bench did not start (${roles})`)));
  });
  return tracked(child, lines, url);
}

/** Starts a program of bench/entries; it prints `{url}` when it is ready. */
export async function startEntry(name: string, environment: Record<string, string> = {}): Promise<Child> {
  const { child, lines } = spawnNode(new URL(`../entries/${name}.js`, import.meta.url), environment);
  const { url } = await new Promise<{ url: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { url: string }));
    child.once('exit', () => reject(new Error(`${name} did not start`)));
  });
  return tracked(child, lines, url);
}

/** Ends all running processes. */
export async function stopAll(): Promise<void> {
  await Promise.all([...children].map((child) => child.stop()));
}

/** The resident memory of a process, in MB. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

/** Measures the peak memory of a process from now on, in MB. */
export function watchMemory({ pid }: Child): { stop(): Promise<number> } {
  let peak = 0;
  const look = async () => {
    peak = Math.max(peak, await residentMb(pid));
  };
  const timer = setInterval(() => void look(), 50);
  return {
    stop: async () => {
      clearInterval(timer);
      await look();
      return peak;
    },
  };
}

function spawnNode(file: URL, environment: Record<string, string>) {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(fileURLToPath(file), {
    env: { PATH, HOME, LOG_LEVEL: 'info', VIGIE_ENV_FILE: '', ...environment },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const lines = new Set<(line: string) => void>();
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      for (const listener of lines) listener(line);
    });
  }
  return { child, lines };
}

function tracked(child: ChildProcess, lines: Set<(line: string) => void>, url: string): Child {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const tracked: Child = {
    pid: child.pid ?? 0,
    url,
    onLine: (listener) => void lines.add(listener),
    ask: <Answer>(request: object) =>
      new Promise<Answer>((resolve, reject) => {
        const onEnd = () => reject(new Error('a process of the bench ended'));
        child.once('exit', onEnd);
        child.once('message', (answer) => {
          child.off('exit', onEnd);
          resolve(answer as Answer);
        });
        child.send(request);
      }),
    stop: async () => {
      children.delete(tracked);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 25_000);
      await ended;
      clearTimeout(late);
    },
  };
  children.add(tracked);
  return tracked;
}
