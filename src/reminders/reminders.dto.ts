import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMinSize,
  ArrayUnique,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsUUID,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import type { Channel } from '../contracts/channels.js';
import { KIND_CHANNELS } from '../contracts/kind-lists.js';
import { CivilDate } from '../platform/http/civil-date.js';
import { NestedList } from '../platform/http/nested.js';
import { Text } from '../platform/http/text.js';

/** The channels that suit reminders. */
export const REMINDER_CHANNELS: readonly Channel[] = KIND_CHANNELS.flatMap(({ kind, channel }) =>
  kind === 'reminder' ? [channel] : [],
);
export const REMINDER_MODES = ['all', 'first_that_works'] as const;
export type ReminderMode = (typeof REMINDER_MODES)[number];
export const END_REASONS = ['count', 'ticket_settled', 'ticket_moved'] as const;
export type EndReason = (typeof END_REASONS)[number];

const MAX_MESSAGE_LENGTH = 2_000;
const MAX_COUNT = 10_000;

/** An absent field is not checked; null is refused. */
const given = (_body: unknown, value: unknown) => value !== undefined;

/** A channel of a reminder, on or off. */
export class ReminderChannel {
  @ApiProperty({ enum: REMINDER_CHANNELS })
  @IsIn(REMINDER_CHANNELS)
  channel: Channel;

  @ApiPropertyOptional({ type: Boolean, default: true })
  @IsBoolean()
  enabled: boolean = true;
}

/** `"email"` is `{"channel": "email", "enabled": true}`. */
function ChannelNames(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    Array.isArray(value)
      ? value.map((item: unknown) =>
          typeof item === 'string' ? Object.assign(new ReminderChannel(), { channel: item }) : item,
        )
      : value,
  );
}

function OneEnabled(): PropertyDecorator {
  return ValidateBy({
    name: 'oneEnabled',
    validator: {
      validate: (channels: unknown) =>
        !Array.isArray(channels) ||
        channels.some((item: unknown) => item instanceof ReminderChannel && item.enabled),
      defaultMessage: () => '$property must have at least one enabled channel',
    },
  });
}

/** What a reminder may be set to. An absent field gets its default, or stays unchanged in a PATCH. */
export class ReminderFields {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 366,
    description: 'Interval in days; required for a new reminder',
  })
  @ValidateIf(given)
  @IsInt()
  @Min(1)
  @Max(366)
  frequency_days?: number;

  @ApiPropertyOptional({
    type: 'array',
    items: {
      oneOf: [
        { type: 'string', enum: [...REMINDER_CHANNELS] },
        {
          type: 'object',
          required: ['channel'],
          properties: {
            channel: { type: 'string', enum: [...REMINDER_CHANNELS] },
            enabled: { type: 'boolean', default: true },
          },
        },
      ],
    },
    example: ['email', { channel: 'sms', enabled: false }],
    description: 'In the order of their use; required for a new reminder. A PATCH replaces the list',
  })
  @ValidateIf(given)
  @ChannelNames()
  @NestedList(() => ReminderChannel, REMINDER_CHANNELS.length)
  @ArrayMinSize(1)
  @ArrayUnique((item: Partial<ReminderChannel> | null) => item?.channel, {
    message: '$property must name each channel once',
  })
  @OneEnabled()
  channels?: ReminderChannel[];

  @ApiPropertyOptional({
    enum: REMINDER_MODES,
    description:
      'first_that_works: the next channel is used only if the previous one fails for good. A new reminder: all',
  })
  @ValidateIf(given)
  @IsIn(REMINDER_MODES)
  mode?: ReminderMode;

  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'A ticket of the user; the reminder ends when it is settled',
  })
  @IsOptional()
  @IsUUID()
  ticket_id?: string | null;

  @ApiPropertyOptional({
    example: '09:00',
    description: "HH:mm in the user's zone. A new reminder: 09:00",
  })
  @ValidateIf(given)
  @Matches(/^([01]\d|2[0-3]):[0-5]\d$/, { message: '$property must be a time of day, HH:mm' })
  local_time?: string;

  @ApiPropertyOptional({
    format: 'date',
    description: 'The first date; by default the next one on which `local_time` is still to come',
  })
  @ValidateIf(given)
  @CivilDate()
  starts_on?: string;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 1,
    maximum: MAX_COUNT,
    description: 'It ends after it was sent this many times; null: never',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_COUNT)
  ends_after?: number | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: MAX_MESSAGE_LENGTH })
  @IsOptional()
  @Text(MAX_MESSAGE_LENGTH)
  message?: string | null;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'false pauses it. true resumes it, without what was missed, or starts an ended one again',
  })
  @ValidateIf(given)
  @IsBoolean()
  active?: boolean;
}

/** A reminder of a user. */
export class Reminder {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ format: 'uuid' })
  user_id: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  ticket_id: string | null;

  @ApiProperty({ description: 'false: paused or ended' })
  active: boolean;

  @ApiProperty({ type: 'integer' })
  frequency_days: number;

  @ApiProperty({ type: [ReminderChannel] })
  channels: ReminderChannel[];

  @ApiProperty({ enum: REMINDER_MODES })
  mode: ReminderMode;

  @ApiProperty({ example: '09:00', description: "HH:mm in the user's zone, else the tenant's" })
  local_time: string;

  @ApiProperty({ type: String, format: 'date' })
  starts_on: string;

  @ApiProperty({ type: 'integer', nullable: true })
  ends_after: number | null;

  @ApiProperty({ type: 'integer', description: 'How many times it was sent since it began' })
  sent_count: number;

  @ApiProperty({ type: String, nullable: true })
  message: string | null;

  @ApiProperty({ type: String, format: 'date', nullable: true, description: 'Its next date' })
  next_on: string | null;

  @ApiProperty({ type: Date, nullable: true, description: 'The instant of `local_time` on `next_on`' })
  next_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  ended_at: Date | null;

  @ApiProperty({
    enum: END_REASONS,
    nullable: true,
    description: 'ticket_moved: the ticket now belongs to somebody else',
  })
  end_reason: EndReason | null;

  @ApiProperty()
  created_at: Date;

  @ApiProperty()
  updated_at: Date;
}

/** The result of processing due reminders. */
export class ProcessedReminders {
  @ApiProperty({ type: 'integer', description: 'Reminders that were sent' })
  processed: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { email: 3, sms: 1 },
    description: 'Messages that were queued, by channel',
  })
  channels: Record<string, number>;

  @ApiProperty({ type: 'integer', description: 'Due reminders that are left for the next call' })
  remaining: number;
}
