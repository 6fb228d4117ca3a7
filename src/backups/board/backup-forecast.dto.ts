import { ApiProperty } from '@nestjs/swagger';
import { BACKUP_VERDICTS, type BackupVerdict } from '../../contracts/backups.js';

/** One backup that is expected on a date, with its result. */
export class ForecastBackup {
  @ApiProperty({ format: 'uuid' })
  job_id: string;

  @ApiProperty()
  agent_id: string;

  @ApiProperty()
  database_name: string;

  @ApiProperty()
  expected_at: Date;

  @ApiProperty({
    description: 'End of the grace period, or of the wait for the file of a report',
  })
  missing_after: Date;

  @ApiProperty({
    enum: BACKUP_VERDICTS,
    nullable: true,
    description: 'Verdict of the newest entry of that date',
  })
  verdict: BackupVerdict | null;

  @ApiProperty({
    enum: ['MISSING'],
    nullable: true,
    description:
      'Verdict to announce after `missing_after` if no report arrives; null once there is a verdict',
  })
  would_be: 'MISSING' | null;
}

/** What is expected on a date, by agent and database. */
export class BackupForecastView {
  @ApiProperty({ type: [ForecastBackup], maxItems: 1000 })
  data: ForecastBackup[];

  @ApiProperty({ description: 'true: there are more than 1,000; these are the first' })
  truncated: boolean;
}
