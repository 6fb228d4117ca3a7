import { ApiProperty } from '@nestjs/swagger';
import { type Schedule, SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { RunView } from '../runs/run.dto.js';

/** A slot: its name and its instant. */
export class SlotView {
  @ApiProperty({
    example: '2026-03-02T09:00',
    description: "In the tenant's zone; UTC with a Z for intervals",
  })
  slot: string;

  @ApiProperty()
  instant: Date;
}

/** A slot of a previewed day. */
export class PreviewedSlot extends SlotView {
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The run that covers it, even if it ran at another hour before the hours were changed',
  })
  run_id: string | null;

  @ApiProperty({ description: 'Whether its schedule is active' })
  will_run: boolean;
}

/** When a job runs: fixed local hours (`times`, on `weekdays` only if given), or every `minutes`. */
export class ScheduleView {
  @ApiProperty({ enum: ['fixed', 'interval'] })
  kind: Schedule['kind'];

  @ApiProperty({ type: [String], required: false, example: ['09:00', '14:00'] })
  times?: string[];

  @ApiProperty({ type: [Number], required: false, description: 'ISO days of the week; absent: every day' })
  weekdays?: number[];

  @ApiProperty({ required: false })
  minutes?: number;
}

/** One job of a tenant: when it runs, its last result, its next run. */
export class JobStatus {
  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({ type: ScheduleView })
  schedule: ScheduleView;

  @ApiProperty({ type: RunView, nullable: true })
  last_run: RunView | null;

  @ApiProperty({
    type: SlotView,
    nullable: true,
    description:
      'The next slot. In the past: it is due, and runs at the next poll. null while the schedule is off',
  })
  next: SlotView | null;
}

/** The scheduler as a tenant sees it. */
export class SchedulerStatus {
  @ApiProperty({ description: 'Off: no job starts on its schedule; jobs can still be triggered manually' })
  enabled: boolean;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'When a scheduler last polled for due slots, of any tenant; null: never',
  })
  last_poll_at: Date | null;

  @ApiProperty({ example: 'Europe/Paris' })
  time_zone: string;

  @ApiProperty({
    description: 'Slots before this instant are not run: creation, or the end of a suspension',
  })
  schedule_from: Date;

  @ApiProperty({ type: [JobStatus] })
  jobs: JobStatus[];
}

/** The slots of one job on one day. */
export class SchedulePreview {
  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({ format: 'date' })
  date: string;

  @ApiProperty({ example: 'Europe/Paris' })
  time_zone: string;

  @ApiProperty({ type: [PreviewedSlot] })
  slots: PreviewedSlot[];
}
