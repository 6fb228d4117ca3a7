import { runTogether } from '../support/together.js';

runTogether(
  'src/auth',
  'src/cli/archives.spec.ts',
  'src/cli/backups.spec.ts',
  'src/cli/doctor/doctor.spec.ts',
  'src/cli/doctor/local.spec.ts',
  'src/cli/doctor/mail.spec.ts',
  'src/cli/doctor/postgres.spec.ts',
  'src/cli/doctor/redis.spec.ts',
  'src/cli/doctor/spf.spec.ts',
  'src/cli/doctor/standby.spec.ts',
  'src/cli/operators.spec.ts',
  'src/cli/preview.spec.ts',
  'src/cli/people-and-jobs.spec.ts',
  'src/cli/queues.spec.ts',
  'src/cli/tenants.spec.ts',
  'src/cli/vigie.spec.ts',
  'src/cli/why.spec.ts',
);
