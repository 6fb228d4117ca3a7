import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
} from 'class-validator';
import { type PeopleChannel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { Instant } from '../../platform/http/instant.js';
import { JsonObject } from '../../platform/http/json-object.js';
import { Identifier, Line, Text } from '../../platform/http/text.js';
import { FeedDelivery } from '../feed/feed.dto.js';

export const MAX_USERS = 1_000;
export const MAX_BODY_LENGTH = 20_000;
const MAX_DATA_LENGTH = 10_000;

/** A caller's name for its own kind: `backup.failed`. */
export function OwnKind(): PropertyDecorator {
  const matches = Matches(/^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*$/, {
    message:
      '$property must be words of lower-case letters and digits, joined by dots, dashes or underscores',
  });
  return (target, property) => {
    for (const decorate of [IsString(), MaxLength(100), matches]) decorate(target, property);
  };
}

/** Ids of users, in lower case as they are stored. */
export function UserIds(): PropertyDecorator {
  const lowerCase = Transform(({ value }: { value: unknown }) =>
    Array.isArray(value)
      ? value.map((id: unknown) => (typeof id === 'string' ? id.toLowerCase() : id))
      : value,
  );
  const rules = [
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(MAX_USERS),
    ArrayUnique(),
    IsUUID('all', { each: true }),
  ];
  return (target, property) => {
    for (const decorate of [lowerCase, ...rules]) decorate(target, property);
  };
}

/** Normalizes line ends of other systems. */
export function LineFeeds(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.replace(/\r\n?/g, '\n') : value,
  );
}

/** A message to an address, or to users. */
export class NewMessage {
  @ApiProperty({ enum: PEOPLE_CHANNELS })
  @IsIn(PEOPLE_CHANNELS)
  channel: PeopleChannel;

  @ApiPropertyOptional({
    type: String,
    maxLength: 254,
    description: 'One address; alternative to `user_ids`',
  })
  @IsOptional()
  @IsString()
  to?: string | null;

  @ApiPropertyOptional({
    type: [String],
    format: 'uuid',
    minItems: 1,
    maxItems: MAX_USERS,
    description: 'Users of the tenant, each once; at most 50 with `send_now`. Alternative to `to`',
  })
  @IsOptional()
  @UserIds()
  user_ids?: string[] | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'One line; optional for `sms`, which shows it only in feeds',
  })
  @IsOptional()
  @Line(200)
  subject?: string | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_BODY_LENGTH,
    description: 'Plain text, sent as written; 1,600 characters for `sms`. Required without `template`',
  })
  @IsOptional()
  @LineFeeds()
  @Text(MAX_BODY_LENGTH)
  body?: string | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: 60,
    example: 'rappel_facture',
    description:
      'A message template of the tenant (`PUT tenant/templates/message.<name>/{locale}`), instead of `subject` and ' +
      '`body`: rendered with `data` in the language of each recipient when it is sent',
  })
  @IsOptional()
  @Identifier(60)
  template?: string | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: 100,
    example: 'invoice.sent',
    description: 'Kind of the message, chosen by the caller',
  })
  @IsOptional()
  @OwnKind()
  kind?: string | null;

  @ApiPropertyOptional({
    enum: SEVERITIES,
    default: 'info',
    description: '`critical` bypasses hours and limits',
  })
  @IsOptional()
  @IsIn(SEVERITIES)
  severity?: Severity | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description:
      'Kept with the notification and shown in feeds; with `template`, what the template prints. At most ' +
      `${MAX_DATA_LENGTH} characters of JSON`,
  })
  @IsOptional()
  @IsObject()
  @JsonObject(MAX_DATA_LENGTH)
  data?: Record<string, unknown> | null;

  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The ticket it is about: shown in the log of the user',
  })
  @IsOptional()
  @IsUUID()
  ticket_id?: string | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'A recipient gets one message per key; a retry returns its current state',
  })
  @IsOptional()
  @Identifier(200)
  dedupe_key?: string | null;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Time to send it, within a year; feeds show it at once',
  })
  @IsOptional()
  @Instant()
  send_at?: string | null;

  @ApiPropertyOptional({
    type: Boolean,
    nullable: true,
    default: false,
    description: 'Send during the request, without the queue but within the limits',
  })
  @IsOptional()
  @IsBoolean()
  send_now?: boolean | null;
}

/** A message to one user, sent at once. */
export class ManualMessage {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  user_id: string;

  @ApiProperty({ enum: PEOPLE_CHANNELS })
  @IsIn(PEOPLE_CHANNELS)
  channel: PeopleChannel;

  @ApiPropertyOptional({ type: String, maxLength: 200, description: 'One line; optional for `sms`' })
  @IsOptional()
  @Line(200)
  subject?: string | null;

  @ApiProperty({ maxLength: MAX_BODY_LENGTH, description: 'Plain text; 1,600 characters for `sms`' })
  @LineFeeds()
  @Text(MAX_BODY_LENGTH)
  message: string;

  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The ticket it is about: shown in the log of the user',
  })
  @IsOptional()
  @IsUUID()
  ticket_id?: string | null;
}

/** The state of a message to one recipient. */
export class MessageState {
  @ApiProperty({ format: 'uuid', description: 'Id of the notification' })
  id: string;

  @ApiProperty({
    example: 'mailto:claire@example.com',
    description: '`user:<id>`, or a scheme and an address',
  })
  recipient: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  user_id: string | null;

  @ApiProperty({ description: 'false: this recipient already had a notification with this `dedupe_key`' })
  created: boolean;

  @ApiProperty({ type: [FeedDelivery] })
  deliveries: FeedDelivery[];
}

export class MessageAnswer {
  @ApiProperty({ type: [MessageState], description: 'In the order of the recipients' })
  notifications: MessageState[];

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Text messages that the operator charges for each recipient; null on other channels',
  })
  segments: number | null;
}
