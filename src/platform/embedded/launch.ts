import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, type DaemonOptions } from './daemon.js';
import { freePort } from './ports.js';

const MAX_PORTS = 10;
const MAX_WAITS = 40;
const WAIT_MS = 250;

/** How a service is started and becomes ready. */
export interface Launch {
  /** The port to try first. */
  preferred: number | undefined;
  optionsFor: (port: number) => DaemonOptions;
  /** Waits for the running service. False: it has ended, or takes too long. */
  becomesReady: (daemon: Daemon, port: number) => Promise<boolean>;
  /** The service's output when another process has taken the port. */
  portTaken: RegExp;
  /** Its output when a short wait helps. */
  busy?: RegExp;
}

/**
 * Starts a service on a free port of 127.0.0.1 and waits until it is ready. Retries where that helps: on another port,
 * or a little later.
 * @throws Error with the last lines of its output
 */
export async function launchOnFreePort(launch: Launch): Promise<{ daemon: Daemon; port: number }> {
  let { preferred } = launch;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(preferred);
    const options = launch.optionsFor(port);
    const daemon = await Daemon.start(options);
    // The error below reports a failed start in full.
    daemon.expectEnd();
    if (await launch.becomesReady(daemon, port)) {
      daemon.expectRunning();
      return { daemon, port };
    }
    const said = await daemon.output();
    await daemon.stop();
    if (launch.portTaken.test(said) && attempt < MAX_PORTS) preferred = undefined;
    else if (launch.busy?.test(said) === true && attempt < MAX_WAITS) await sleep(WAIT_MS);
    else throw new Error(`${options.name} did not start:\n${said.split('\n').slice(-10).join('\n')}`);
  }
}
