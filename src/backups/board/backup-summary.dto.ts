import { ApiProperty } from '@nestjs/swagger';
import { BACKUP_VERDICTS, type BackupVerdict } from '../../contracts/backups.js';

/** A job whose newest backup is not good. */
export class BackupProblem {
  @ApiProperty({ format: 'uuid' })
  job_id: string;

  @ApiProperty()
  agent_id: string;

  @ApiProperty()
  database_name: string;

  @ApiProperty()
  company_name: string;

  @ApiProperty({ enum: BACKUP_VERDICTS })
  verdict: BackupVerdict;

  @ApiProperty({ description: 'Its verdict is SUCCESS, but its content is doubtful' })
  doubtful: boolean;

  @ApiProperty({ type: Date, nullable: true })
  since: Date | null;

  @ApiProperty({ type: Date, nullable: true, description: 'When its last good backup was made; null: never' })
  last_success_at: Date | null;
}

/** The state of the expected backups. */
export class BackupSummary {
  @ApiProperty({ type: 'integer' })
  jobs: number;

  @ApiProperty({ type: 'integer' })
  good: number;

  @ApiProperty({ type: 'integer' })
  not_good: number;

  @ApiProperty({ type: 'integer', description: 'Jobs without a verdict yet' })
  unknown: number;

  @ApiProperty({
    type: [BackupProblem],
    description: 'The longest without a good backup first; at most 8',
  })
  problems: BackupProblem[];

  @ApiProperty({ type: Date, nullable: true, description: 'The last scan of the inbox; null: none yet' })
  checked_at: Date | null;
}
