import type { Command } from 'commander';
import { SCHEDULED_JOBS } from '../../contracts/jobs.js';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { PreviewOptions } from '../preview.js';

/** `vigie preview` */
export function addPreview(program: Command): void {
  program
    .command('preview')
    .description(
      'show what a job would do for a tenant on a day: who would be notified, how, when and why not',
    )
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--job <name>', `one of ${SCHEDULED_JOBS.join(', ')}`, 'check-notifications')
    .option('--date <YYYY-MM-DD>', "a day of the tenant's calendar (default: today there)")
    .option('--limit <number>', 'messages to show, 1 to 2000', '500')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  vigie preview --tenant cabinet-martin --job weekly-summary --date 2026-12-07',
    )
    .action(async (options: PreviewOptions) => {
      const { showPreview } = await import('../preview.js');
      console.log(await showPreview(withEnvFile(process.env), options));
    });
}
