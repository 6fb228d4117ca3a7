import { Command } from 'commander';
import { VERSION } from '../platform/version.js';
import { addArchive } from './commands/archive.js';
import { addBackups } from './commands/backups.js';
import { addCompletion } from './commands/completion.js';
import { addDeadLetters } from './commands/dead-letters.js';
import { addDemo } from './commands/demo.js';
import { addDoctor } from './commands/doctor.js';
import { addKeys } from './commands/keys.js';
import { addMailCatcher } from './commands/mail-catcher.js';
import { addMigrate } from './commands/migrate.js';
import { addOperators } from './commands/operators.js';
import { addPreview } from './commands/preview.js';
import { addPurge } from './commands/purge.js';
import { addQueues } from './commands/queues.js';
import { addRun } from './commands/run.js';
import { addStart } from './commands/start.js';
import { addTenants } from './commands/tenants.js';
import { addTry } from './commands/try.js';
import { addUsers } from './commands/users.js';
import { addWhy } from './commands/why.js';

/** The groups of commands, in the order of `vigie --help`. */
const GROUPS: readonly ((program: Command) => void)[] = [
  addStart,
  addMigrate,
  addDoctor,
  addDemo,
  addTry,
  addMailCatcher,
  addTenants,
  addOperators,
  addUsers,
  addKeys,
  addRun,
  addPreview,
  addWhy,
  addQueues,
  addPurge,
  addDeadLetters,
  addBackups,
  addArchive,
  addCompletion,
];

/** The command line, without running anything. Its commands throw instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('vigie')
    .description('Vigie: checks what a firm must not miss and notifies each person once')
    .version(VERSION, '--version', 'print the version')
    .exitOverride();
  for (const add of GROUPS) add(program);
  return program;
}
