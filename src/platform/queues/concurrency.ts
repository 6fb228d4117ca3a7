import type { QueueName } from '../../contracts/jobs.js';
import type { Config } from '../config/config.js';

/** How many jobs of a queue one worker process does at the same time: each queue has a setting of its name. */
export function concurrencyOf(queue: QueueName, config: Config): number {
  return config[`${queue}Concurrency`];
}
