import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { DeadLetterActOptions, DeadLettersOptions } from '../dead-letters.js';

/** `vigie dead-letters` */
export function addDeadLetters(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('list failed deliveries by cause, send them again or give them up');
  const days = (command: Command) =>
    command.option('--days <number>', 'how many days back, 1 to 30', '30').option('--json', 'print JSON');
  days(letters.command('list').description('list failed deliveries by cause')).action(
    async (options: DeadLettersOptions) => {
      const { listDeadLetters } = await import('../dead-letters.js');
      console.log(await listDeadLetters(withEnvFile(process.env), options));
    },
  );
  const act = (name: 'requeue' | 'discard', description: string) =>
    days(letters.command(name).description(description))
      .option('--id <id...>', 'these deliveries')
      .option('--channel <channel>', 'all of this channel')
      .option('--cause <cause>', 'with this cause, as listed')
      .option('--reason <reason>', 'with this reason, as listed with the cause')
      .option('--tenant <slug>', 'of this tenant only')
      .action(async (options: DeadLetterActOptions) => {
        const { actOnDeadLetters } = await import('../dead-letters.js');
        console.log(await actOnDeadLetters(withEnvFile(process.env), name, options));
      });
  act('requeue', 'send them again, with all their attempts');
  act('discard', 'give them up for good').requiredOption('--why <text>', 'the reason, for their history');
}
