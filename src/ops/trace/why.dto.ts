import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { type Reason, REASON_CODES, STEP_OUTCOMES, type StepOutcome } from '../../contracts/reasons.js';
import { TracedItem } from '../../notifications/trace/trace.dto.js';
import { ChannelChain, TracedRun, TraceStep } from '../../notifications/trace/trace-step.dto.js';
import { Line } from '../../platform/http/text.js';
import { SlotView } from '../../scheduler/scheduler.dto.js';
import { TenantQuery } from '../admin.dto.js';

/** A recipient, and a fact. */
export class WhyQuery extends TenantQuery {
  @ApiPropertyOptional({ maxLength: 254, description: 'Id or e-mail address of a user' })
  @IsOptional()
  @Line(254)
  user?: string;

  @ApiPropertyOptional({
    maxLength: 2000,
    description:
      'Instead of `user`: an e-mail address, a phone number, or the id or URL of a webhook endpoint',
  })
  @IsOptional()
  @Line(2_000)
  address?: string;

  @ApiPropertyOptional({
    maxLength: 300,
    description:
      'Id of an item, an alert or a notification, a dedupe key, or a part of a title. Without it: what the recipient ' +
      'was notified of last',
  })
  @IsOptional()
  @Line(300)
  fact?: string;
}

/** Who is asked about. */
export class WhyRecipient {
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: no user, or erased' })
  user_id: string | null;

  @ApiProperty({ type: String, nullable: true })
  name: string | null;

  @ApiProperty({ type: String, nullable: true, enum: ['member', 'admin', null] })
  role: 'member' | 'admin' | null;

  @ApiProperty({
    type: [String],
    example: ['user:0198a2b3-0000-7000-8000-000000000000', 'mailto:claire@example.com'],
    description: 'The recipients under which notifications are stored',
  })
  recipients: string[];
}

/** The outcome of one fact for the recipient. */
export class WhyFact {
  @ApiProperty()
  title: string;

  @ApiProperty({ type: String, nullable: true, enum: [...NOTIFICATION_KINDS, null] })
  kind: string | null;

  @ApiProperty({ type: TracedItem, nullable: true })
  item: TracedItem | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  alert_id: string | null;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'null: none was created for them',
  })
  notification_id: string | null;

  @ApiProperty({ enum: STEP_OUTCOMES })
  outcome: StepOutcome;

  @ApiProperty({ enum: REASON_CODES, description: 'Of the step that decided' })
  reason: Reason;

  @ApiProperty({ description: "`reason` in the reader's language" })
  text: string;

  @ApiProperty({ type: Date, nullable: true })
  until: Date | null;

  @ApiProperty({ type: String, nullable: true, description: "The console's page with what decided" })
  path: string | null;

  @ApiProperty({
    type: [TraceStep],
    description: 'The run, the fact, the alert and the recipient, as far as it got',
  })
  steps: TraceStep[];

  @ApiProperty({ type: [ChannelChain], description: 'Empty if no notification was created' })
  channels: ChannelChain[];

  @ApiProperty({ type: TraceStep, nullable: true, description: 'Why it is not announced again now' })
  again: TraceStep | null;
}

/** A job that would have found the fact. */
export class WhyCheck {
  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({ type: SlotView, nullable: true })
  next: SlotView | null;

  @ApiProperty({ type: [TracedRun], description: 'The latest three, newest first' })
  runs: TracedRun[];
}

/** What a check needs to find something. */
export class WhyNeed {
  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: NotificationKind;

  @ApiProperty({
    type: [Number],
    description: 'An open item this many days before its due date; negative: after it',
  })
  stages: number[];
}

/** Why a recipient was notified of something, or not. */
export class Why {
  @ApiProperty({ type: WhyRecipient })
  recipient: WhyRecipient;

  @ApiProperty({ type: [WhyFact], description: 'Empty: nothing is recorded. At most 5' })
  facts: WhyFact[];

  @ApiProperty({ description: 'Whether more facts match' })
  more: boolean;

  @ApiProperty({ type: [WhyCheck], description: 'The jobs that find such facts' })
  checks: WhyCheck[];

  @ApiProperty({ type: [WhyNeed], description: 'What the checks need to find something' })
  needs: WhyNeed[];
}
