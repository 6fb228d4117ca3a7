import type { Command } from 'commander';
import { settings } from '../settings.js';

/** `vigie migrate` */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('migrate the database in DATABASE_URL as its owner')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const config = settings();
      if (config.databaseUrl === null)
        throw new Error('DATABASE_URL is not set (an embedded database migrates by itself)');
      const { prepareSchema, reachDatabase } = await import('../../platform/start/steps.js');
      await reachDatabase(config);
      const migrations = await prepareSchema(config, console.error);
      if (json === true) console.log(JSON.stringify({ migrations }));
      else console.log(migrations.length === 0 ? 'Up to date.' : `Ran ${migrations.join(', ')}.`);
    });
}
