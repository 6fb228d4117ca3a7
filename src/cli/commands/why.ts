import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { WhyOptions } from '../why.js';

/** `vigie why` */
export function addWhy(program: Command): void {
  program
    .command('why')
    .description(
      'explain why somebody was notified of something, or not; exits with 1 if nothing is recorded, with 2 for an unknown recipient',
    )
    .option('--user <mail>', 'e-mail address or id of a user')
    .option(
      '--address <address>',
      'instead: an e-mail address, a phone number, or the id or URL of a webhook',
    )
    .option(
      '--fact <text>',
      'id of an item, an alert or a notification, a dedupe key, or a part of a title (default: what they were notified of last)',
    )
    .option('--tenant <slug>', 'the tenant; needed if there are several')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  vigie why --tenant cabinet-martin --user claire@martin.example --fact "TVA CA3"',
    )
    .action(async (options: WhyOptions) => {
      const { explainWhy } = await import('../why.js');
      const { text, code } = await explainWhy(withEnvFile(process.env), options);
      if (code === 2) console.error(text);
      else console.log(text);
      process.exitCode = code;
    });
}
