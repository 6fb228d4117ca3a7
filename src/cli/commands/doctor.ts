import type { Command } from 'commander';
import { withEnvFile } from '../../platform/config/env-file.js';
import { EXIT } from '../exit-codes.js';

interface DoctorCommandOptions {
  dns?: string[];
  dkimSelector?: string[];
  json?: boolean;
}

/** `vigie doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check configuration, services, folders and DNS of the installation, and say how to repair each fault; exits with 1 if there is one',
    )
    .option('--dns <server...>', 'DNS servers to ask (default: those of this machine)')
    .option('--dkim-selector <name...>', "DKIM selectors of the sender's domain (default: common ones)")
    .option('--json', 'print JSON')
    .action(async ({ dns, dkimSelector, json }: DoctorCommandOptions) => {
      const { describeDiagnosis, diagnose } = await import('../doctor/doctor.js');
      const diagnosis = await diagnose(withEnvFile(process.env), {
        ...(dns === undefined ? {} : { dnsServers: dns }),
        ...(dkimSelector === undefined ? {} : { dkimSelectors: dkimSelector }),
      });
      console.log(json === true ? JSON.stringify(diagnosis, null, 2) : describeDiagnosis(diagnosis));
      if (!diagnosis.ok) process.exitCode = EXIT.failed;
    });
}
