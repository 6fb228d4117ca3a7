import type { Command } from 'commander';
import { SCOPES } from '../../contracts/scopes.js';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { KeyOptions, NewKeyOptions } from '../keys.js';

/** `vigie keys` */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description("manage the API keys of a tenant's programs");
  const add = (name: string, description: string) =>
    keys
      .command(name)
      .description(description)
      .requiredOption('--tenant <slug>', 'their tenant')
      .option('--json', 'print JSON');
  add('list', 'list the keys, without their secrets').action(async (options: KeyOptions) => {
    const { listKeys } = await import('../keys.js');
    console.log(await listKeys(withEnvFile(process.env), options));
  });
  add('create <name>', 'create a key and print it, once')
    .requiredOption('--scope <scope...>', `what it may do: ${SCOPES.join(', ')}`)
    .option('--agent <id>', 'the backup agent that reports with it (scope reports:write)')
    .option('--expires <instant>', 'when it expires, such as 2027-01-01T00:00:00Z (default: never)')
    .action(async (name: string, options: NewKeyOptions) => {
      const { createKey } = await import('../keys.js');
      console.log(await createKey(withEnvFile(process.env), name, options));
    });
  add('revoke <id>', 'revoke a key; it stops working at once').action(
    async (id: string, options: KeyOptions) => {
      const { revokeKey } = await import('../keys.js');
      console.log(await revokeKey(withEnvFile(process.env), id, options));
    },
  );
}
