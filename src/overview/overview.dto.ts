import { ApiProperty } from '@nestjs/swagger';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { BackupSummary } from '../backups/board/backup-summary.dto.js';
import { DeliverySummary } from '../notifications/deliveries/delivery-summary.dto.js';
import { RUN_STATES, type RunStateName } from '../runs/run.dto.js';

const ITEM_TYPES = ['deadline', 'document', 'task'] as const;

/** An open item. */
export class OverviewLine {
  @ApiProperty({ enum: ITEM_TYPES })
  type: (typeof ITEM_TYPES)[number];

  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty()
  title: string;

  @ApiProperty({ type: String, nullable: true })
  client_name: string | null;

  @ApiProperty({ format: 'date' })
  due_on: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  responsible_id: string | null;

  @ApiProperty({ type: String, nullable: true })
  responsible_name: string | null;
}

/** Open items of a period: all are counted, the first are listed. */
export class OverviewSection {
  @ApiProperty({ type: [OverviewLine], description: 'The earliest first; at most 8' })
  lines: OverviewLine[];

  @ApiProperty({ type: 'integer' })
  total: number;

  @ApiProperty({ type: 'integer' })
  deadline: number;

  @ApiProperty({ type: 'integer' })
  document: number;

  @ApiProperty({ type: 'integer' })
  task: number;
}

export class AwaitedDocuments {
  @ApiProperty({ type: [OverviewLine], description: 'The earliest first; at most 8' })
  lines: OverviewLine[];

  @ApiProperty({ type: 'integer' })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Due before today' })
  late: number;
}

/** A run that has ended or is under way. */
export class OverviewRun {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({ enum: RUN_STATES })
  state: RunStateName;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' }, nullable: true })
  counts: Record<string, number> | null;

  @ApiProperty({ description: 'When it was due' })
  due_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  finished_at: Date | null;
}

export class NextRun {
  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({ description: 'In the past: it runs at the next poll' })
  at: Date;
}

/** What the first page of the console shows. */
export class Overview {
  @ApiProperty({ format: 'date', description: "In the tenant's zone" })
  today: string;

  @ApiProperty({ format: 'date', description: 'The last day of `week`' })
  until: string;

  @ApiProperty({ description: 'When this was read' })
  checked_at: Date;

  @ApiProperty({
    enum: ['own', 'all'],
    description:
      'own: the items of the member; all: those of the tenant, for admins. Backups and runs are the tenant’s',
  })
  scope: 'own' | 'all';

  @ApiProperty({ type: OverviewSection, description: 'Due before today' })
  late: OverviewSection;

  @ApiProperty({ type: OverviewSection })
  due_today: OverviewSection;

  @ApiProperty({ type: OverviewSection, description: 'Due in the seven days after today' })
  week: OverviewSection;

  @ApiProperty({ type: AwaitedDocuments })
  documents: AwaitedDocuments;

  @ApiProperty({ type: BackupSummary })
  backups: BackupSummary;

  @ApiProperty({ type: DeliverySummary, description: 'Messages of the last 24 hours' })
  messages: DeliverySummary;

  @ApiProperty({ type: [OverviewRun], description: 'The last run of each job, the newest first' })
  runs: OverviewRun[];

  @ApiProperty({ type: [NextRun], description: 'The soonest first; empty while the schedule is off' })
  next_runs: NextRun[];
}
