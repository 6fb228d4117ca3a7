import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { OperatorOptions } from '../operators.js';
import { terminal } from '../settings.js';

/** `vigie operators` */
export function addOperators(program: Command): void {
  const operators = program
    .command('operators')
    .description(
      'manage the people who run the installation; they belong to no tenant and sign in without one',
    );
  operators
    .command('list')
    .description('list the operators')
    .option('--json', 'print JSON')
    .action(async (options: OperatorOptions) => {
      const { listOperators } = await import('../operators.js');
      console.log(await listOperators(withEnvFile(process.env), options));
    });
  operators
    .command('create <email>')
    .description(
      'add an operator; prompts for the password, or reads it from the first line of standard input',
    )
    .option('--name <name>', 'display name', 'Operator')
    .option('--json', 'print the operator as JSON')
    .action(async (email: string, options: OperatorOptions) => {
      const { createOperator } = await import('../operators.js');
      console.log(await createOperator(withEnvFile(process.env), email, options, terminal()));
    });
  operators
    .command('reset-password <email>')
    .description('set a new password (prompted for, or read from standard input) and end all sessions')
    .option('--json', 'print the operator as JSON')
    .action(async (email: string, options: OperatorOptions) => {
      const { resetOperatorPassword } = await import('../operators.js');
      console.log(await resetOperatorPassword(withEnvFile(process.env), email, options, terminal()));
    });
  operators
    .command('unlock <email>')
    .description('clear the failed sign-ins of an operator, or of a user with --tenant')
    .option('--tenant <slug>', 'unlock a user of this tenant instead')
    .option('--json', 'print the result as JSON')
    .action(async (email: string, options: OperatorOptions) => {
      const { unlockLogin } = await import('../operators.js');
      console.log(await unlockLogin(withEnvFile(process.env), email, options));
    });
}
