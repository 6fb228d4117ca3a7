import type { Command } from 'commander';
import { SCHEDULED_JOBS } from '../../contracts/jobs.js';
import { withEnvFile } from '../../platform/config/env-file.js';
import { EXIT } from '../exit-codes.js';
import type { RunOptions } from '../run.js';

/** `vigie run` */
export function addRun(program: Command): void {
  program
    .command('run <job>')
    .description(
      `run a job now, on the workers of the installation: ${[...SCHEDULED_JOBS, 'dispatch'].join(', ')}`,
    )
    .option('--tenant <slug>', 'this tenant only (default: all)')
    .option('--wait', 'wait until it has finished; exits with 1 if a run failed')
    .option('--json', 'print JSON')
    .action(async (job: string, options: RunOptions) => {
      const { runJobNow } = await import('../run.js');
      const { text, ok } = await runJobNow(withEnvFile(process.env), job, options);
      console.log(text);
      if (!ok) process.exitCode = EXIT.failed;
    });
}
