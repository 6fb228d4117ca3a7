import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import type { NewTenantOptions } from '../tenants.js';

/** `vigie tenants` */
export function addTenants(program: Command): void {
  const tenants = program
    .command('tenants')
    .description('list and create tenants (firms and companies); use the API for everything else');
  tenants
    .command('list')
    .description('list the tenants')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { listTenants } = await import('../tenants.js');
      console.log(await listTenants(withEnvFile(process.env), options));
    });
  tenants
    .command('create <slug>')
    .description(
      'create a tenant and its first admin, e-mail the admin a link to set a password, and print the link. The slug (letters, digits, hyphens) identifies the tenant at sign-in and in paths and cannot be changed',
    )
    .requiredOption('--name <name>', 'display name')
    .requiredOption('--admin <mail>', 'e-mail address of the first admin')
    .option('--admin-name <name>', "the admin's name (default: the part of the address before the @)")
    .option('--kind <kind>', 'cabinet (an accounting firm) or company', 'cabinet')
    .option('--time-zone <zone>', 'time zone of its days and schedules', 'Europe/Paris')
    .option('--locale <locale>', 'language: fr or en', 'fr')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  vigie tenants create cabinet-martin --name "Cabinet Martin" --admin alice@martin.example',
    )
    .action(async (slug: string, options: NewTenantOptions) => {
      const { createTenant } = await import('../tenants.js');
      console.log(await createTenant(withEnvFile(process.env), slug, options));
    });
}
