import { statfs } from 'node:fs/promises';
import {
  type Config,
  examineConfig,
  type ExaminedConfig,
  hasExternalDatabase,
  type Setting,
} from '../../platform/config/config.js';
import { runningServices } from '../../platform/embedded/running.js';
import { messageOf } from './error-text.js';
import type { Environment } from '../installation.js';

export interface DoctorOptions {
  /** DNS servers to ask, `address` or `address:port`; those of the machine by default. */
  dnsServers?: readonly string[];
  /** The DKIM selectors of the sender's domain; common ones by default. */
  dkimSelectors?: readonly string[];
}

/** What the checks know. They ask everything else themselves. */
export interface DoctorContext extends DoctorOptions {
  environment: Environment;
  /** With the addresses of embedded services that have been started; a faulty setting has its default. */
  config: Config;
  configFaults: readonly string[];
  faulty: ReadonlySet<Setting>;
  /** Why there is no PostgreSQL or Redis to check; null if both are known. */
  notStarted: string | null;
  /** This machine's clock, in ms since 1970 UTC. */
  now: () => number;
  /** How full the disk of a folder is. */
  statfs: (path: string) => Promise<DiskSpace>;
}

export interface DiskSpace {
  bsize: number;
  blocks: number;
  bavail: number;
  files: number;
  ffree: number;
}

/** Reads the configuration; starts and changes nothing. */
export async function createContext(
  environment: Environment,
  options: DoctorOptions = {},
): Promise<DoctorContext> {
  const examined = examineConfig(environment);
  const { config, notStarted } = await withRunningServices(examined);
  return {
    ...options,
    environment,
    config,
    configFaults: examined.faults,
    faulty: examined.faulty,
    notStarted,
    now: () => Date.now(),
    statfs: (path) => statfs(path),
  };
}

/** The settings of both databases; while one is faulty, nothing is known about embedded services either. */
const ADDRESSES: readonly Setting[] = ['databaseUrl', 'databaseAppUrl', 'databaseSystemUrl', 'redisUrl'];

async function withRunningServices({
  config,
  faulty,
}: ExaminedConfig): Promise<{ config: Config; notStarted: string | null }> {
  const external = hasExternalDatabase(config);
  if ((external && config.redisUrl !== null) || ADDRESSES.some((setting) => faulty.has(setting)))
    return { config, notStarted: null };
  try {
    const { database, redis_url } = await runningServices(config.dataDir);
    const embedded = {
      databaseUrl: database.owner_url,
      databaseAppUrl: database.app_url,
      databaseSystemUrl: database.system_url,
    };
    return {
      config: { ...config, ...(external ? {} : embedded), redisUrl: config.redisUrl ?? redis_url },
      notStarted: null,
    };
  } catch (error) {
    return { config, notStarted: messageOf(error) };
  }
}
