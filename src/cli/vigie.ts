#!/usr/bin/env node
import { Command } from 'commander';
import { ConfigurationError, readConfig } from '../platform/config/config.js';
import { migrate } from '../platform/database/migrate.js';

const program = new Command('vigie').description(
  'Vigie: checks what a firm must not miss, and tells each person once',
);

program
  .command('migrate')
  .description('bring the database in DATABASE_URL up to date, as its owner, and end')
  .action(async () => {
    const { databaseUrl } = readConfig(process.env);
    if (databaseUrl === null)
      throw new Error('DATABASE_URL is not set (an embedded database migrates by itself)');
    const migrations = await migrate(databaseUrl);
    console.log(migrations.length === 0 ? 'Up to date.' : `Ran ${migrations.join(', ')}.`);
  });

program
  .command('demo')
  .description(
    'start everything on this machine with sample data, run the checks twice and show what came of it',
  )
  .option('--exit', 'end when all that was expected has arrived (0), or has not (1)')
  .option('--data <dir>', 'where the demo keeps its database; emptied at each start', './data/demo')
  .action(async (options: { exit?: boolean; data: string }) => {
    const { runDemo } = await import('./demo/demo.js');
    process.exitCode = await runDemo({ exit: options.exit === true, data_dir: options.data });
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof ConfigurationError || error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
