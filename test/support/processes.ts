import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

/** A server in its own process, as in production. */
export interface ServerProcess {
  pid: number;
  url: string;
  /** Its log lines so far. */
  lines: readonly string[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  /** SIGTERM, and waits. */
  stop(): Promise<void>;
}

const started = new Set<ChildProcess>();

/**
 * Starts `dist/main.js` and waits until it logs that it has started. Needs a build.
 * @param within a command that ends by executing the rest of its arguments.
 */
export async function startProcess(
  environment: Record<string, string>,
  within: readonly string[] = [],
): Promise<ServerProcess> {
  const server = [process.execPath, resolve('dist/main.js')];
  const [command = '', ...given] = [...within, ...server];
  const child = spawn(command, given, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // Ignores the .env of the person who runs the tests.
      VIGIE_ENV_FILE: '',
      ...environment,
      LOG_LEVEL: 'info',
    },
    // The channel tells the server when this process has ended; it then ends, too.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  started.add(child);
  const lines: string[] = [];
  const ended = new Promise<number | NodeJS.Signals>((done) => {
    child.once('exit', (code, signal) => {
      started.delete(child);
      done(code ?? signal ?? 1);
    });
  });
  const url = await new Promise<string>((ready, fail) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(line);
      const match = /"event":"started","url":"([^"]+)"/.exec(line);
      if (match?.[1] !== undefined) ready(match[1]);
    });
    void ended.then((code) =>
      fail(new Error(`the server ended with ${code}:\n${lines.slice(-20).join('\n')}`)),
    );
  });
  return {
    pid: child.pid ?? 0,
    url,
    lines,
    kill: (signal) => void child.kill(signal),
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** For `afterAll`: ends the processes that a failed test left, by process id. */
export async function stopProcesses(): Promise<void> {
  await Promise.all(
    [...started].map(
      (child) =>
        new Promise((done) => {
          child.once('exit', done);
          child.kill('SIGKILL');
        }),
    ),
  );
}
