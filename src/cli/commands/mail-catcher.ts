import type { Command } from 'commander';

/** `vigie mail-catcher` */
export function addMailCatcher(program: Command): void {
  program
    .command('mail-catcher')
    .description('run a mail server on this machine that prints each mail and delivers none, until Ctrl-C')
    .option('--port <number>', 'port to listen on', '1025')
    .action(async (options: { port: string }) => {
      const { catchMails } = await import('../mail-catcher.js');
      await catchMails(Number(options.port));
    });
}
