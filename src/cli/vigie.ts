#!/usr/bin/env node
import { devNull } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { ConfigurationError, readConfig } from '../platform/config/config.js';
import { withEnvFile } from '../platform/config/env-file.js';
import { prepareSchema, reachDatabase } from '../platform/start/steps.js';
import { VERSION } from '../platform/version.js';
import type { OperatorOptions } from './operators.js';
import type { NewTenantOptions } from './tenants.js';
import type { QueueAct, QueueOptions } from './queues.js';

const program = new Command('vigie')
  .description('Vigie: checks what a firm must not miss and notifies each person once')
  .version(VERSION, '--version', 'print the version');

/** The configuration for commands: none of them sends mails. */
const settings = () => readConfig(withEnvFile(process.env), { mail: false });

/** Prompts go to standard error, because standard output may be piped. */
const TERMINAL = { input: process.stdin, output: process.stderr };

program
  .command('migrate')
  .description('migrate the database in DATABASE_URL as its owner')
  .action(async () => {
    const config = settings();
    if (config.databaseUrl === null)
      throw new Error('DATABASE_URL is not set (an embedded database migrates by itself)');
    await reachDatabase(config);
    const migrations = await prepareSchema(config, console.error);
    console.log(migrations.length === 0 ? 'Up to date.' : `Ran ${migrations.join(', ')}.`);
  });

program
  .command('demo')
  .description('start everything on this machine with sample data, run the checks twice and show the results')
  .option('--exit', 'exit when the checks are done: 0 if every expectation was met, 1 if not')
  .option(
    '--data <dir>',
    'a new or empty folder, or one from an earlier demo; its contents are deleted at each start (default: demo in VIGIE_DATA_DIR)',
  )
  .action(async (options: { exit?: boolean; data?: string }) => {
    const { dataDir, port, redisUrl, sources } = readConfig(demoEnvironment(process.env), { mail: false });
    const { runDemo } = await import('./demo/demo.js').catch((error: unknown) => {
      if (!isMissingPackage(error)) throw error;
      throw new Error(
        'the demo needs packages that this installation does not include: run scripts/demo in a checkout',
        {
          cause: error,
        },
      );
    });
    process.exitCode = await runDemo({
      exit: options.exit === true,
      data_dir: options.data ?? join(dataDir, 'demo'),
      port: sources.port.kind === 'default' ? null : port,
      redis_url: redisUrl,
    });
  });

program
  .command('try')
  .description(
    'test every part of a running installation through its public API; exits with 1 if a part fails',
  )
  .option('--url <url>', 'address of the installation (default: VIGIE_PUBLIC_URL, else PORT on this machine)')
  .option('--to <address>', 'recipient of the two mails (default: VIGIE_OPERATOR_EMAIL)')
  .option('--phone <number>', 'recipient of a text message, with its country code (default: none is sent)')
  .option('--api-key <key>', 'use the API key of a tenant instead of VIGIE_OPERATOR_EMAIL')
  .action(async (options: { url?: string; to?: string; phone?: string; apiKey?: string }) => {
    const { publicUrl, port, operatorEmail, operatorPassword } = settings();
    const { runTry } = await import('./try/try.js');
    process.exitCode = await runTry({
      url: (options.url ?? publicUrl ?? `http://127.0.0.1:${port}`).replace(/\/+$/, ''),
      operator:
        operatorEmail === null || operatorPassword === null
          ? null
          : { email: operatorEmail, password: operatorPassword },
      api_key: options.apiKey ?? null,
      to: options.to ?? null,
      phone: options.phone ?? null,
    });
  });

program
  .command('mail-catcher')
  .description('run a mail server on this machine that prints each mail and delivers none, until Ctrl-C')
  .option('--port <number>', 'port to listen on', '1025')
  .action(async (options: { port: string }) => {
    const { catchMails } = await import('./mail-catcher.js');
    await catchMails(Number(options.port));
  });

program
  .command('backups')
  .description('verify the stored backups of the configured installation')
  .command('verify')
  .description('read every stored backup again; notifies admins of damaged or missing files and exits with 1')
  .option('--tenant <slug>', 'this tenant only')
  .option('--json', 'print JSON')
  .action(async (options: { tenant?: string; json?: boolean }) => {
    const { verifyBackups } = await import('./backups.js');
    const { text, ok } = await verifyBackups(withEnvFile(process.env), options);
    console.log(text);
    if (!ok) process.exitCode = 1;
  });

/**
 * What the demo takes from the environment. All else, .env and vigie.yml configure a real installation, which the demo
 * leaves alone.
 */
function demoEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['PORT', 'REDIS_URL', 'VIGIE_DATA_DIR'].flatMap((name) => [name, `${name}_FILE`]);
  return { ...Object.fromEntries(names.map((name) => [name, environment[name]])), VIGIE_CONFIG: devNull };
}

/** Those of development are not in the image. */
function isMissingPackage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}

const queues = program
  .command('queues')
  .description('show the queues of the configured installation, as PostgreSQL and Bull see them')
  .option('--json', 'print JSON')
  .action(async (options: QueueOptions) => {
    const { showQueues } = await import('./queues.js');
    console.log(await showQueues(withEnvFile(process.env), options));
  });

const act = (name: QueueAct, description: string) =>
  queues
    .command(`${name} <queue>`)
    .description(description)
    .action(async (queue: string, options: QueueOptions) => {
      const { actOnQueue } = await import('./queues.js');
      console.log(await actOnQueue(withEnvFile(process.env), name, queue, options));
    });

act('pause', 'start no new jobs; running ones finish');
act('resume', 'start jobs again');
act('purge', 'cancel the waiting jobs; running ones finish')
  .option('--tenant <slug>', 'this tenant only')
  .option('--yes', 'confirm; a purge cannot be undone');
act('retry', 'retry the failed jobs')
  .option('--tenant <slug>', 'this tenant only')
  .option('--days <number>', 'how many days back, 1 to 30', '1');

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
    const { listOperators } = await import('./operators.js');
    console.log(await listOperators(withEnvFile(process.env), options));
  });

operators
  .command('create <email>')
  .description('add an operator; prompts for the password, or reads it from the first line of standard input')
  .option('--name <name>', 'display name', 'Operator')
  .option('--json', 'print the operator as JSON')
  .action(async (email: string, options: OperatorOptions) => {
    const { createOperator } = await import('./operators.js');
    console.log(await createOperator(withEnvFile(process.env), email, options, TERMINAL));
  });

operators
  .command('reset-password <email>')
  .description('set a new password (prompted for, or read from standard input) and end all sessions')
  .option('--json', 'print the operator as JSON')
  .action(async (email: string, options: OperatorOptions) => {
    const { resetOperatorPassword } = await import('./operators.js');
    console.log(await resetOperatorPassword(withEnvFile(process.env), email, options, TERMINAL));
  });

operators
  .command('unlock <email>')
  .description('clear the failed sign-ins of an operator, or of a user with --tenant')
  .option('--tenant <slug>', 'unlock a user of this tenant instead')
  .option('--json', 'print the result as JSON')
  .action(async (email: string, options: OperatorOptions) => {
    const { unlockLogin } = await import('./operators.js');
    console.log(await unlockLogin(withEnvFile(process.env), email, options));
  });

const tenants = program
  .command('tenants')
  .description('list and create tenants (firms and companies); use the API for everything else');

tenants
  .command('list')
  .description('list the tenants')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { listTenants } = await import('./tenants.js');
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
    const { createTenant } = await import('./tenants.js');
    console.log(await createTenant(withEnvFile(process.env), slug, options));
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof ConfigurationError || error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
