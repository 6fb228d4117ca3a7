import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';

/** `vigie backups` */
export function addBackups(program: Command): void {
  program
    .command('backups')
    .description('verify the stored backups of the configured installation')
    .command('verify')
    .description(
      'read every stored backup again; notifies admins of damaged or missing files and exits with 1',
    )
    .option('--tenant <slug>', 'this tenant only')
    .option('--json', 'print JSON')
    .action(async (options: { tenant?: string; json?: boolean }) => {
      const { verifyBackups } = await import('../backups.js');
      const { text, ok } = await verifyBackups(withEnvFile(process.env), options);
      console.log(text);
      if (!ok) process.exitCode = 1;
    });
}
