import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsUUID, Max, Min } from 'class-validator';
import { BackupForecastView } from '../../backups/board/backup-forecast.dto.js';
import { AUDIENCES, type Audience } from '../../contracts/audiences.js';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { CivilDate } from '../../platform/http/civil-date.js';
import { RunView } from '../../runs/run.dto.js';
import { PreviewedSlot, SchedulePreview } from '../../scheduler/scheduler.dto.js';
import { TenantQuery } from '../admin.dto.js';

/** What a preview assumes about the time between now and its day. */
export const ASSUMPTIONS = [
  'present_state',
  'sent_until_now',
  'rewound',
  'not_rewound',
  'no_report_arrives',
  'no_other_messages',
  'too_far_away',
] as const;
export type Assumption = (typeof ASSUMPTIONS)[number];

/**
 * The outcome of a message: it leaves at once, it waits until `leaves_at`, it is not sent, or it is only in
 * the inbox.
 */
export const PREVIEW_OUTCOMES = ['leaves', 'waits', 'not_sent', 'inbox'] as const;
export type PreviewOutcome = (typeof PREVIEW_OUTCOMES)[number];

const DEFAULT_ENTRIES = 500;
const MAX_ENTRIES = 2_000;

export class PreviewQuery extends TenantQuery {
  @ApiProperty({
    format: 'date',
    description:
      "A day of the tenant's calendar; beyond 400 days before or after today only its hours are shown",
  })
  @CivilDate()
  date: string;

  @ApiPropertyOptional({ minimum: 1, maximum: MAX_ENTRIES, default: DEFAULT_ENTRIES })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_ENTRIES)
  limit: number = DEFAULT_ENTRIES;

  @ApiPropertyOptional({ format: 'uuid', description: 'Only the entries of this recipient' })
  @IsOptional()
  @IsUUID()
  user_id?: string;
}

/** An item, for a link. */
export class PreviewedItem {
  @ApiProperty({ example: 'deadline' })
  type: string;

  @ApiProperty({ format: 'uuid' })
  id: string;
}

/** What really happened to a message of a past slot. */
export class RanDelivery {
  @ApiProperty({ format: 'uuid' })
  notification_id: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  delivery_id: string | null;

  @ApiProperty({ description: 'When the run notified them' })
  at: Date;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'State of the delivery; null: only in the inbox',
  })
  state: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it waits or was not sent' })
  reason: string | null;

  @ApiProperty({ type: Date, nullable: true })
  sent_at: Date | null;
}

/** One person (or endpoint), one channel, one time, one reason. */
export class PreviewEntry {
  @ApiProperty({
    type: String,
    nullable: true,
    example: '2026-03-02T09:00',
    description: 'null: a manual run, not in the preview',
  })
  slot: string | null;

  @ApiProperty({ description: 'When the job runs' })
  at: Date;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'mailto:claire@example.com',
    description: '`user:<id>`, `webhook:<id>`, or a scheme and an address; null: nobody is notified',
  })
  recipient: string | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  user_id: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The name of the user, or the URL of the endpoint',
  })
  name: string | null;

  @ApiProperty({ enum: CHANNELS, nullable: true, description: 'null: no channel' })
  channel: Channel | null;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: string;

  @ApiProperty({ enum: SEVERITIES })
  severity: Severity;

  @ApiProperty({ description: "In the reader's language, as of the previewed day" })
  title: string;

  @ApiProperty({ type: PreviewedItem, nullable: true })
  item: PreviewedItem | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Days before its date; negative after it' })
  stage: number | null;

  @ApiProperty({ enum: AUDIENCES, nullable: true, description: 'Why they are notified' })
  audience: Audience | null;

  @ApiProperty({ enum: PREVIEW_OUTCOMES })
  outcome: PreviewOutcome;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'A code of the table of reasons: why it waits, or is not sent; null if it leaves at once',
  })
  reason: string | null;

  @ApiProperty({ type: String, nullable: true, description: "The reason in the reader's language" })
  reason_text: string | null;

  @ApiProperty({ type: String, nullable: true, description: "The console's path to what decided" })
  setting: string | null;

  @ApiProperty({ type: Date, nullable: true, description: 'At the earliest; null: it is not sent' })
  leaves_at: Date | null;

  @ApiProperty({ description: 'Notifications in the same message' })
  message_size: number;

  @ApiProperty({ description: 'false: it ran, and the preview does not have it' })
  previewed: boolean;

  @ApiProperty({ type: RanDelivery, nullable: true, description: 'For a past slot: what really happened' })
  ran: RanDelivery | null;
}

/** Totals of all entries, regardless of the limit. */
export class PreviewTotals {
  @ApiProperty({ description: 'Entries, of all people' })
  entries: number;

  @ApiProperty({ description: 'Users, addresses and endpoints that get a notification' })
  recipients: number;

  @ApiProperty({ description: 'Messages that leave: several notifications may share one' })
  messages: number;

  @ApiProperty()
  leaves: number;

  @ApiProperty()
  waits: number;

  @ApiProperty()
  not_sent: number;

  @ApiProperty()
  inbox: number;

  @ApiProperty({ description: 'In the preview and in the run' })
  both: number;

  @ApiProperty({ description: 'Past slots: only in the preview' })
  only_previewed: number;

  @ApiProperty({ description: 'Past slots: only in the run' })
  only_ran: number;
}

/** An item whose status `update-statuses` changes. */
export class PreviewedChange {
  @ApiProperty({ type: PreviewedItem })
  item: PreviewedItem;

  @ApiProperty()
  title: string;

  @ApiProperty({ type: String, nullable: true })
  client_name: string | null;

  @ApiProperty({ format: 'date' })
  due_on: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  responsible_id: string | null;

  @ApiProperty({ example: 'overdue' })
  status: string;
}

/** A slot and the counts of its rehearsed run. */
export class RehearsedSlot extends PreviewedSlot {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    nullable: true,
    description: 'The counts that its run would have; null if it was not rehearsed',
  })
  counts: Record<string, number> | null;
}

/** When a job runs on a day, and what it would do. */
export class PreviewAnswer extends SchedulePreview {
  @ApiProperty({ type: [RehearsedSlot] })
  declare slots: RehearsedSlot[];

  @ApiProperty({ description: 'When this was computed' })
  now: Date;

  @ApiProperty({ type: [PreviewEntry], description: 'The worst first' })
  entries: PreviewEntry[];

  @ApiProperty({ type: PreviewTotals })
  totals: PreviewTotals;

  @ApiProperty({
    description: 'There are more entries than shown, or later slots were not rehearsed in time',
  })
  truncated: boolean;

  @ApiProperty({
    enum: ASSUMPTIONS,
    isArray: true,
    description:
      '`present_state`: items, people and settings are as they are now. `sent_until_now`: notifications ' +
      'sent until now stay sent, and the days in between are not simulated. `no_other_messages`: no other ' +
      'message waits. `rewound`: notifications since the slot are ignored. `not_rewound`: this is not ' +
      'possible or too much, so only what ran is shown. `no_report_arrives`: no report arrives from now on ' +
      'for the backups expected on that day. `too_far_away`: the day is more than 400 days away, so ' +
      'nothing was rehearsed',
  })
  assumptions: Assumption[];

  @ApiProperty({ type: [PreviewedChange], description: 'For `update-statuses`, at most 200 of each type' })
  changes: PreviewedChange[];

  @ApiProperty({ type: [RunView], description: 'The runs of the day so far, at most 100' })
  runs: RunView[];

  @ApiPropertyOptional({
    type: BackupForecastView,
    description:
      'For `check-backups` and `scan-backups`: the backups expected on the date, whatever the hours of the job',
  })
  backups?: BackupForecastView;
}
