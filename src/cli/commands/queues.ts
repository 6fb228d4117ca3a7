import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { QueueAct, QueueOptions } from '../queues.js';

/** `vigie queues` */
export function addQueues(program: Command): void {
  const queues = program
    .command('queues')
    .description('show the queues of the configured installation, as PostgreSQL and Bull see them')
    .option('--json', 'print JSON')
    .action(async (options: QueueOptions) => {
      const { showQueues } = await import('../queues.js');
      console.log(await showQueues(withEnvFile(process.env), options));
    });
  const act = (name: QueueAct, description: string) =>
    queues
      .command(`${name} <queue>`)
      .description(description)
      .option('--json', 'print JSON (the default)')
      .action(async (queue: string, options: QueueOptions) => {
        const { actOnQueue } = await import('../queues.js');
        console.log(await actOnQueue(withEnvFile(process.env), name, queue, options));
      });
  act('pause', 'start no new jobs; running ones finish');
  act('resume', 'start jobs again');
  act('purge', 'cancel the waiting jobs; running ones finish')
    .option('--tenant <slug>', 'this tenant only')
    .option('--yes', 'confirm; a purge cannot be undone');
  act('retry', 'retry the failed jobs')
    .option('--tenant <slug>', 'this tenant only')
    .option('--days <number>', 'how many days back, 1 to 30', '1');
}
