import { spawn, type ChildProcess } from 'node:child_process';
import type { ProcessIdentity } from './processes.js';

/**
 * The shell script of the watchdog. It notes the processes named on its standard input, one a line, and ends
 * them when that pipe closes, which the kernel does however this process goes: at the end, by a crash, by
 * kill -9. A line `done` means that there is nothing left to do. A process is known by pid and start time, so
 * that a later one of the same pid is never hit.
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

/** What to send: at first, and after eight seconds. */
export interface EndSignals {
  ask: NodeJS.Signals;
  insist: NodeJS.Signals;
}

/** Ends the services when this process is gone, however it went. */
export class Watchdog {
  private readonly process: ChildProcess;

  constructor() {
    // Detached, so that what the terminal sends to the foreground does not reach it, and no secrets of the
    // environment are handed on.
    this.process = spawn('/bin/sh', ['-c', SCRIPT], {
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.process.on('error', () => undefined);
    this.process.stdin?.on('error', () => undefined);
    this.process.unref();
    // A pipe to a child is a socket, which can be told not to keep this process alive.
    const stdin = this.process.stdin as { unref?: () => void } | null;
    stdin?.unref?.();
  }

  guard({ pid, started }: ProcessIdentity, { ask, insist }: EndSignals): void {
    this.process.stdin?.write(`${pid}/${started}/${ask.slice(3)}/${insist.slice(3)}\n`);
  }

  /** To be called when all that it guards has ended. */
  dismiss(): void {
    this.process.stdin?.end('done\n');
  }
}
