import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { RestoreOptions, ShowOptions } from '../archives.js';

/** `vigie archive` */
export function addArchive(program: Command): void {
  const archive = program
    .command('archive')
    .description('list, verify, show and restore what the cleanup has archived');

  archive
    .command('list')
    .description('list the archives')
    .option('--tenant <slug>', 'this tenant only')
    .option('--json', 'print JSON')
    .action(async (options: { tenant?: string; json?: boolean }) => {
      const { listArchives } = await import('../archives.js');
      console.log(await listArchives(withEnvFile(process.env), options));
    });

  archive
    .command('verify [archive]')
    .description(
      'read archives and compare them with their manifests and PostgreSQL; exits with 1 if one is damaged',
    )
    .option('--tenant <slug>', 'this tenant only')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { tenant?: string; json?: boolean }) => {
      const { verifyArchives } = await import('../archives.js');
      const { text, ok } = await verifyArchives(withEnvFile(process.env), name, options);
      console.log(text);
      if (!ok) process.exitCode = 1;
    });

  archive
    .command('show [archive]')
    .description('print rows of all archives of a tenant, or of one, as a JSON line each')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--id <id>', 'a notification or delivery, and what belongs to it')
    .option('--user <user>', 'notifications of this person: an id or an e-mail address')
    .option('--since <date>', 'created at or after this date or instant')
    .option('--until <date>', 'created before this date or instant')
    .option('--limit <number>', 'print at most this many rows', '1000')
    .action(async (name: string | undefined, options: ShowOptions) => {
      const { showArchives } = await import('../archives.js');
      await showArchives(withEnvFile(process.env), name, options, console.log);
    });

  archive
    .command('restore <archive>')
    .description('put the rows of an archive back; skips rows that exist')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--days <number>', 'days for which the cleanup does not archive them again', '30')
    .option('--json', 'print JSON')
    .action(async (name: string, options: RestoreOptions) => {
      const { restoreArchive } = await import('../archives.js');
      console.log(await restoreArchive(withEnvFile(process.env), name, options));
    });
}
