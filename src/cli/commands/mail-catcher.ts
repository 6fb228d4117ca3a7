import { resolve } from 'node:path';
import type { Command } from 'commander';

/** `vigie mail-catcher` */
export function addMailCatcher(program: Command): void {
  program
    .command('mail-catcher')
    .description('run a mail server on this machine that prints each mail and delivers none, until Ctrl-C')
    .option('--port <number>', 'port to listen on', '1025')
    .option(
      '--folder <path>',
      'also keep the newest 500 mails here: CAUGHT_MAILS_DIR shows them in the console',
    )
    .option('--json', 'one JSON object a line')
    .action(async ({ port, folder, json = false }: { port: string; folder?: string; json?: boolean }) => {
      const { catchMails } = await import('../mail-catcher.js');
      await catchMails({ port: Number(port), folder: folder === undefined ? null : resolve(folder), json });
    });
}
