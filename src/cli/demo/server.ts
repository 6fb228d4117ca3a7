import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

/** A server as `npm start` runs it, with embedded services. */
export interface DemoServer {
  url: string;
  log_file: string;
  /** Resolves with the exit code when the process has ended. */
  ended: Promise<number | null>;
  /** Drains it and waits until it has exited. */
  stop(): Promise<void>;
}

/**
 * Starts `dist/main.js` with an empty data directory as its working directory, so that it does not read the .env or
 * vigie.yml of an installation. Its log is a file there.
 */
export function startServer(
  dataDir: string,
  port: number,
  environment: Readonly<Record<string, string>>,
): DemoServer {
  const logFile = join(dataDir, 'server.log');
  const log = createWriteStream(logFile);
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, '--demo'], {
    cwd: dataDir,
    env: { ...inherited(), ...environment, PORT: String(port), HOST: '127.0.0.1', VIGIE_DATA_DIR: dataDir },
    // The ipc channel closes when this process is killed, which stops the server.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { url: `http://127.0.0.1:${port}`, log_file: logFile, ended, stop: () => stop(child, ended) };
}

/** The variables that any process needs, without settings of an installation. */
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
