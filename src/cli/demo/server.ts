import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

/** A separate server, as `npm start` runs it, with everything embedded. */
export interface DemoServer {
  url: string;
  log_file: string;
  /** Resolves with the exit code when the process has ended. */
  ended: Promise<number | null>;
  /** Asks it to drain and waits until it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts `dist/main.js` on an empty data directory. This is also its working directory, so that it does not read an
 * installation's .env or vigie.yml. Its log is a file there.
 */
export function startServer(
  dataDir: string,
  port: number,
  environment: Readonly<Record<string, string>>,
): DemoServer {
  const logFile = join(dataDir, 'server.log');
  const log = createWriteStream(logFile);
  const child = spawn(process.execPath, [MAIN, '--demo'], {
    cwd: dataDir,
    env: { ...inherited(), ...environment, PORT: String(port), HOST: '127.0.0.1', VIGIE_DATA_DIR: dataDir },
    // The channel tells the server when this process was killed.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { url: `http://127.0.0.1:${port}`, log_file: logFile, ended, stop: () => stop(child, ended) };
}

/** The environment that any process needs, without an installation's settings. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'TZ'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.exitCode === null) child.kill('SIGTERM');
  await ended;
}
