import type { QueueName } from '../../contracts/jobs.js';
import type { Config } from '../config/config.js';

/** The concurrency of a queue in one worker process: each queue has a setting with its name. */
export function concurrencyOf(queue: QueueName, config: Config): number {
  return config[`${queue}Concurrency`];
}
