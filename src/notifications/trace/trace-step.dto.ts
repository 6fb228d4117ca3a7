import { ApiProperty } from '@nestjs/swagger';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { type RunCounts, SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import {
  type Reason,
  REASON_CODES,
  type Step,
  STEP_OUTCOMES,
  type StepOutcome,
  STEPS,
} from '../../contracts/reasons.js';
import { RUN_STATES, type RunStateName } from '../../runs/run.dto.js';

/** The run of a job, in a step. */
export class TracedRun {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The hour it ran for; null if triggered manually',
  })
  slot: string | null;

  @ApiProperty({ enum: RUN_STATES })
  state: RunStateName;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' }, nullable: true })
  counts: RunCounts | null;

  @ApiProperty({ type: String, nullable: true })
  error: string | null;

  @ApiProperty()
  due_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  started_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  finished_at: Date | null;
}

/** One step from a check to a provider's report: what was decided, and by what. */
export class TraceStep {
  @ApiProperty({ enum: STEPS })
  step: Step;

  @ApiProperty({ enum: STEP_OUTCOMES, description: 'What it means for the message' })
  outcome: StepOutcome;

  @ApiProperty({ enum: REASON_CODES })
  reason: Reason;

  @ApiProperty({ description: "`reason` in the reader's language, to be shown as it is" })
  text: string;

  @ApiProperty({ type: Date, nullable: true })
  at: Date | null;

  @ApiProperty({ type: Date, nullable: true, description: 'When it ends, or is decided again' })
  until: Date | null;

  @ApiProperty({ type: String, nullable: true, description: 'The name of the person who decided' })
  by: string | null;

  @ApiProperty({ type: Number, nullable: true, description: 'How often the alert was seen' })
  count: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Attempts until then' })
  attempt: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "The provider's reply, or the error of a run, without addresses",
  })
  detail: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '/settings#stages',
    description:
      "The console's page with the setting that decided; null where there is none that the reader sees",
  })
  path: string | null;

  @ApiProperty({ type: TracedRun, nullable: true, description: 'The run that checked' })
  run: TracedRun | null;
}

/** The outcome of a notification on one channel, or why the channel was not used. */
export class ChannelChain {
  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({ type: String, nullable: true, description: 'null where nothing was created' })
  address: string | null;

  @ApiProperty({ enum: STEP_OUTCOMES })
  outcome: StepOutcome;

  @ApiProperty({ enum: REASON_CODES, description: 'Of the step that ended it, or that it waits for' })
  reason: Reason;

  @ApiProperty({ description: "`reason` in the reader's language" })
  text: string;

  @ApiProperty({ type: Date, nullable: true })
  until: Date | null;

  @ApiProperty({ type: [TraceStep], description: 'Oldest first' })
  steps: TraceStep[];
}
