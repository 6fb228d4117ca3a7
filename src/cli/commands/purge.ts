import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { QueueOptions } from '../queues.js';

/** `vigie purge`: `vigie queues purge` by its short name. */
export function addPurge(program: Command): void {
  program
    .command('purge <queue>')
    .description('cancel the waiting jobs of a queue; running ones finish (the same as queues purge)')
    .option('--tenant <slug>', 'this tenant only')
    .option('--yes', 'confirm; a purge cannot be undone')
    .option('--json', 'print JSON (the default)')
    .action(async (queue: string, options: QueueOptions) => {
      const { actOnQueue } = await import('../queues.js');
      console.log(await actOnQueue(withEnvFile(process.env), 'purge', queue, options));
    });
}
