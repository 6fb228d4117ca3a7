import { spawn, type ChildProcess } from 'node:child_process';
import { isRunning, type ProcessIdentity } from './processes.js';

/**
 * The shell script of the watchdog. It reads the processes to guard from its standard input, one per line, and ends
 * them when that pipe closes. The kernel closes it however this process ends: normally, by a crash, by kill -9. A line
 * `done` means that nothing is left to do. Processes are identified by pid and start time, so that a later process with
 * the same pid is never killed.
 */
const SCRIPT = `
trap '' HUP INT TERM
children=
while read -r line; do
  [ "$line" = done ] && exit 0
  children="$children $line"
done
started() {
  if [ -r /proc/self/stat ]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    set -- \${stat##*) }
    [ "$1" = Z ] && return 0
    shift 19
    echo "$1"
  else
    ps -o lstart= -p "$1" | tr -d '[:space:]'
  fi
}
# signal_all ask|insist: true while one of them is there
signal_all() {
  left=1
  for child in $children; do
    IFS=/ read -r pid start ask insist <<EOF
$child
EOF
    if [ "$(started "$pid")" = "$start" ]; then
      left=0
      case $1 in ask) kill -s "$ask" "$pid" ;; insist) kill -s "$insist" "$pid" ;; esac
    fi
  done
  return $left
}
signal_all ask
for _ in 1 2 3 4 5 6 7 8; do
  sleep 1
  signal_all look || exit 0
done
signal_all insist
`;

/** The signals to send: at first, and after eight seconds. */
export interface EndSignals {
  ask: NodeJS.Signals;
  insist: NodeJS.Signals;
}

/** Stops the services when this process has ended, for any reason. */
export class Watchdog {
  private readonly guarded: ProcessIdentity[] = [];
  private dismissed = false;

  private constructor(
    private readonly child: ChildProcess,
    log: (line: string) => void,
  ) {
    child.stdin?.on('error', () => undefined);
    child.once('exit', (code, signal) => {
      if (this.dismissed) return;
      log(
        `The watchdog ended (${signal ?? `exit code ${code ?? '?'}`}): if this process is killed, PostgreSQL ` +
          'and Redis keep running until the next start',
      );
    });
  }

  /** @throws Error when the shell cannot be started: services without a watchdog would outlive a crash. */
  static async start(log: (line: string) => void, shell = '/bin/sh'): Promise<Watchdog> {
    // Detached, so that terminal signals to the foreground do not reach it. It gets no secrets from the environment.
    const child = spawn(shell, ['-c', SCRIPT], {
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    try {
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    } catch (error) {
      throw new Error('cannot start the watchdog of PostgreSQL and Redis', { cause: error });
    }
    child.unref();
    // A pipe to a child is a socket; unreference it so that it does not keep this process alive.
    const stdin = child.stdin as { unref?: () => void } | null;
    stdin?.unref?.();
    return new Watchdog(child, log);
  }

  guard(identity: ProcessIdentity, { ask, insist }: EndSignals): void {
    this.guarded.push(identity);
    const { pid, started } = identity;
    this.child.stdin?.write(`${pid}/${started}/${ask.slice(3)}/${insist.slice(3)}\n`);
  }

  /**
   * Stops the watchdog, unless a service that it guards still runs.
   * @returns false in that case: the watchdog stays, and ends that service together with this process.
   */
  async dismiss(): Promise<boolean> {
    const running = await Promise.all(this.guarded.map(isRunning));
    if (running.includes(true)) return false;
    this.dismissed = true;
    this.child.stdin?.end('done\n');
    return true;
  }
}
