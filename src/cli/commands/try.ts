import type { Command } from 'commander';
import { settings } from '../settings.js';

interface TryOptions {
  url?: string;
  to?: string;
  phone?: string;
  push?: string;
  webhook?: string;
  apiKey?: string;
  json?: boolean;
}

/** `vigie try` */
export function addTry(program: Command): void {
  program
    .command('try')
    .description(
      'test every part of a running installation through its public API; exits with 1 if a part fails',
    )
    .option(
      '--url <url>',
      'address of the installation (default: VIGIE_PUBLIC_URL, else PORT on this machine)',
    )
    .option('--to <address>', 'recipient of the two mails (default: VIGIE_OPERATOR_EMAIL)')
    .option('--phone <number>', 'recipient of a text message, with its country code (default: none is sent)')
    .option('--push <address>', 'user who gets a push, in the tenant of --api-key (default: none is sent)')
    .option('--webhook <url>', 'endpoint for a webhook call (default: none is made)')
    .option('--api-key <key>', 'use the API key of a tenant instead of VIGIE_OPERATOR_EMAIL')
    .option('--json', 'print JSON')
    .action(async (options: TryOptions) => {
      const { publicUrl, port, operatorEmail, operatorPassword } = settings();
      const { runTry } = await import('../try/try.js');
      process.exitCode = await runTry({
        url: (options.url ?? publicUrl ?? `http://127.0.0.1:${port}`).replace(/\/+$/, ''),
        operator:
          operatorEmail === null || operatorPassword === null
            ? null
            : { email: operatorEmail, password: operatorPassword },
        api_key: options.apiKey ?? null,
        to: options.to ?? null,
        phone: options.phone ?? null,
        push: options.push ?? null,
        webhook: options.webhook ?? null,
        json: options.json === true,
      });
    });
}
