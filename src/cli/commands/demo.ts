import { devNull } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readConfig } from '../../platform/config/config.js';

/** `vigie demo` */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'start everything on this machine with sample data, run the checks twice and show the results',
    )
    .option('--exit', 'exit when the checks are done: 0 if every expectation was met, 1 if not')
    .option(
      '--data <dir>',
      'a new or empty folder, or one from an earlier demo; its contents are deleted at each start (default: demo in VIGIE_DATA_DIR)',
    )
    .option('--json', 'print the result as one JSON object, and all else on standard error')
    .action(async (options: { exit?: boolean; data?: string; json?: boolean }) => {
      const { dataDir, port, redisUrl, sources } = readConfig(demoEnvironment(process.env), { mail: false });
      const { runDemo } = await import('../demo/demo.js').catch((error: unknown) => {
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
        json: options.json === true,
        data_dir: options.data ?? join(dataDir, 'demo'),
        port: sources.port.kind === 'default' ? null : port,
        redis_url: redisUrl,
      });
    });
}

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
