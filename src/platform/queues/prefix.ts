import type { Config } from '../config/config.js';

/** The prefix of Bull's keys; the braces keep a queue's keys on one node of a cluster. */
export function bullPrefix(config: Config): string {
  return `{${config.redisPrefix}}`;
}
