import type { Command } from 'commander';

interface StartOptions {
  roles?: string;
  port?: string;
  json?: boolean;
}

/** `vigie start` */
export function addStart(program: Command): void {
  program
    .command('start')
    .description('start a server process, with embedded services where none are configured, until Ctrl-C')
    .option('--roles <roles>', 'its roles: web, worker, scheduler (default: VIGIE_ROLES, or all)')
    .option('--port <number>', 'port to listen on (default: PORT, or 3000)')
    .option('--json', 'log as JSON also on a terminal')
    .action(async ({ roles, port, json }: StartOptions) => {
      if (roles !== undefined) process.env.VIGIE_ROLES = roles;
      if (port !== undefined) process.env.PORT = port;
      if (json === true) process.env.LOG_FORMAT = 'json';
      await import('../../main.js');
    });
}
