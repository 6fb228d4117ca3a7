import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { ErasureOptions } from '../person-erasure.js';
import type { PersonOptions } from '../person-export.js';
import type { NewUserOptions, UserOptions } from '../users.js';

/** `vigie users` */
export function addUsers(program: Command): void {
  const users = program.command('users').description('manage the people of a tenant');
  const add = (name: string, description: string) =>
    users
      .command(name)
      .description(description)
      .requiredOption('--tenant <slug>', 'their tenant')
      .option('--json', 'print JSON');
  add('list', 'list the users of a tenant').action(async (options: UserOptions) => {
    const { listUsers } = await import('../users.js');
    console.log(await listUsers(withEnvFile(process.env), options));
  });
  add('create <email>', 'create a user, send a welcome mail and print its link to set a password')
    .option('--name <name>', 'display name (default: the part of the address before the @)')
    .option('--role <role>', 'member or admin', 'member')
    .option('--phone <number>', 'telephone number with its country code')
    .option('--locale <locale>', "language: fr or en (default: the tenant's)")
    .action(async (email: string, options: NewUserOptions) => {
      const { createUser } = await import('../users.js');
      console.log(await createUser(withEnvFile(process.env), email, options));
    });
  add('reset-password <email>', 'print a one-time link for a new password; earlier links end').action(
    async (email: string, options: UserOptions) => {
      const { resetUserPassword } = await import('../users.js');
      console.log(await resetUserPassword(withEnvFile(process.env), email, options));
    },
  );
  add('unlock <email>', 'clear the failed sign-ins of a user').action(
    async (email: string, options: UserOptions) => {
      const { unlockLogin } = await import('../operators.js');
      console.log(await unlockLogin(withEnvFile(process.env), email, options));
    },
  );
  users
    .command('export [email]')
    .description('print everything that is kept about a person, as JSON lines; no secrets')
    .requiredOption('--tenant <slug>', 'their tenant')
    .option('--address <address>', 'instead of a user: an e-mail address or a phone number')
    .action(async (email: string | undefined, options: PersonOptions) => {
      const { exportPerson } = await import('../person-export.js');
      await exportPerson(withEnvFile(process.env), email, options, console.log);
    });
  users
    .command('erase [email]')
    .description('erase a person for good: the account, and what names them elsewhere, archives included')
    .requiredOption('--tenant <slug>', 'their tenant')
    .option('--address <address>', 'instead of a user: an e-mail address or a phone number')
    .option('--yes', 'confirm; an erasure cannot be undone')
    .option('--json', 'print JSON')
    .action(async (email: string | undefined, options: ErasureOptions) => {
      const { erasePerson } = await import('../person-erasure.js');
      console.log(await erasePerson(withEnvFile(process.env), email, options));
    });
}
