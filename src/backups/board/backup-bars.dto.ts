import { ApiProperty, OmitType } from '@nestjs/swagger';
import { ALERT_STATES, type AlertState } from '../../notifications/alerts/alerts.dto.js';
import { BACKUP_JOB_STATUSES, BackupBoardQuery, type BackupJobStatus } from '../jobs/backup-jobs.dto.js';

/** The same filters as the board; its pages have 2,000 rows. */
export class BackupBarsQuery extends OmitType(BackupBoardQuery, ['limit'] as const) {}

/** The columns of a page: the n-th value of each belongs to the n-th row. */
export class BackupBarColumns {
  @ApiProperty({
    type: 'array',
    items: { type: ['string', 'null'], format: 'uuid' } as object,
    description: 'null: not an expected backup',
  })
  job_id: (string | null)[];

  @ApiProperty({ type: [String] })
  agent_id: string[];

  @ApiProperty({ type: [String] })
  database_name: string[];

  @ApiProperty({ type: [String] })
  company_name: string[];

  @ApiProperty({ type: [String] })
  city: string[];

  @ApiProperty({ enum: BACKUP_JOB_STATUSES, isArray: true })
  verdict: BackupJobStatus[];

  @ApiProperty({ type: 'array', items: { type: ['string', 'null'], format: 'date-time' } as object })
  last_success_at: (string | null)[];

  @ApiProperty({ type: 'array', items: { type: ['string', 'null'], format: 'date-time' } as object })
  next_expected_at: (string | null)[];

  @ApiProperty({
    type: 'array',
    items: { type: ['integer', 'null'] } as object,
    description:
      'Size of the newest stored backup in percent of the median of up to 7 good ones before it; null: not comparable',
  })
  size_percent: (number | null)[];

  @ApiProperty({
    type: 'array',
    items: { type: ['string', 'null'], enum: [...ALERT_STATES, null] } as object,
    description: 'The most urgent state of its open alerts; null: none',
  })
  alert_state: (AlertState | null)[];

  @ApiProperty({
    type: 'array',
    items: { type: ['string', 'null'] } as object,
    description: 'Name of the user who acknowledged it',
  })
  acknowledged_by: (string | null)[];

  @ApiProperty({
    type: [String],
    description:
      'At most 30 results, the oldest first, a letter each: S success, D doubtful success, F failed, ' +
      'T transfer integrity failed, H hash mismatch, M missing, . a file is awaited',
  })
  results: string[];
}

/** The board for a chart: thousands of rows in one small answer. */
export class BackupBars {
  @ApiProperty({ format: 'date-time' })
  as_of: string;

  @ApiProperty({ description: 'Rows of this page' })
  rows: number;

  @ApiProperty({ type: BackupBarColumns, description: 'By agent, then database' })
  columns: BackupBarColumns;

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;
}
