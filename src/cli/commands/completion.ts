import type { Command } from 'commander';
import { completionScript, SHELLS } from '../completion.js';
import { UsageError } from '../exit-codes.js';

/** `vigie completion` */
export function addCompletion(program: Command): void {
  program
    .command('completion <shell>')
    .description(`print a script that completes commands and options, for ${SHELLS.join(', ')}`)
    .option('--json', 'print the script as JSON')
    .addHelpText('after', '\nExample:\n  source <(vigie completion bash)')
    .action((name: string, { json }: { json?: boolean }) => {
      const shell = SHELLS.find((each) => each === name);
      if (shell === undefined)
        throw new UsageError(`there is no completion for ${name}, only for ${SHELLS.join(', ')}`);
      const script = completionScript(shell, program);
      console.log(json === true ? JSON.stringify({ shell, script }) : script);
    });
}
