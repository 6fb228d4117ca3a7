import { spawn, type ChildProcess } from 'node:child_process';
import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import { endProcess, startedAt, type Account, type ProcessIdentity } from './processes.js';
import type { EndSignals, Watchdog } from './watchdog.js';

export interface DaemonOptions {
  /** For messages: "PostgreSQL". */
  name: string;
  file: string;
  args: string[];
  cwd: string;
  account: Account | undefined;
  log_file: string;
  /** Written to its standard input, which is then closed. */
  input?: string;
  end: EndSignals;
  watchdog: Watchdog;
  log: (line: string) => void;
}

const LOG_KEPT_BYTES = 10_000_000;
/** How much of a log is read to explain why a service did not start. */
const MAX_OUTPUT_BYTES = 64 * 1_024;
const PATIENCE_MS = 10_000;

/** A service that runs beside this process, in a separate process group. */
export class Daemon {
  private stopping = false;
  private ended = false;

  private constructor(
    private readonly options: DaemonOptions,
    readonly identity: ProcessIdentity,
    child: ChildProcess,
    private readonly log_start: number,
  ) {
    child.once('exit', (code, signal) => {
      this.ended = true;
      if (!this.stopping) options.log(`${options.name} ended (${signal ?? `exit code ${code ?? '?'}`})`);
    });
  }

  /**
   * Starts a service. It is detached: a Ctrl-C in the terminal goes to the whole foreground group, and must only reach
   * this process, which still needs the service to finish its work. Output goes to a file, because a pipe would block
   * whenever this process reads slowly. The service gets none of this process's environment, which holds secrets.
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { file, args, cwd, account, input } = options;
    const output = await openLog(options.log_file);
    try {
      const log_start = (await output.stat()).size;
      const child = spawn(file, args, {
        cwd,
        detached: true,
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
        stdio: [input === undefined ? 'ignore' : 'pipe', output.fd, output.fd],
        ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
      });
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
      child.unref();
      const pid = child.pid ?? 0;
      // A process that has already ended has no start time and needs no guard.
      const identity = { pid, started: (await startedAt(pid)) ?? 'ended' };
      options.watchdog.guard(identity, options.end);
      return new Daemon(options, identity, child, log_start);
    } finally {
      await output.close();
    }
  }

  get running(): boolean {
    return !this.ended;
  }

  /** From now on its end is expected and not logged. */
  expectEnd(): void {
    this.stopping = true;
  }

  /** From now on its end is unexpected and logged. */
  expectRunning(): void {
    this.stopping = false;
  }

  /** The end of its log since it was started, 64 KiB at most. */
  async output(): Promise<string> {
    const file = await open(this.options.log_file, 'r');
    try {
      const { size } = await file.stat();
      const position = Math.max(this.log_start, size - MAX_OUTPUT_BYTES);
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(Math.max(0, size - position)),
        position,
      });
      return buffer.toString('utf8', 0, bytesRead).trim();
    } finally {
      await file.close();
    }
  }

  async stop(): Promise<void> {
    this.expectEnd();
    if (!this.ended) await endProcess(this.identity, { ...this.options.end, patience_ms: PATIENCE_MS });
  }
}

async function openLog(path: string): Promise<FileHandle> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size > LOG_KEPT_BYTES) await rename(path, `${path}.1`);
  return open(path, 'a', 0o600);
}
