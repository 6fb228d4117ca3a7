import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import {
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  MaxLength,
} from 'class-validator';
import { WEBHOOK_KINDS } from '../../../../contracts/kind-lists.js';
import type { NotificationKind } from '../../../../contracts/kinds.js';
import { Instant } from '../../../../platform/http/instant.js';
import { Line } from '../../../../platform/http/text.js';
import { CALL_FAULTS, type CallFault } from '../calls/call-error.js';
import { MAX_URL } from '../guard/target.js';
import {
  DISABLE_REASONS,
  type DisableReason,
  ENDPOINT_FORMATS,
  ENDPOINT_STATES,
  type EndpointFormat,
  type EndpointState,
} from './endpoint.js';

const URL_DESCRIPTION =
  'https, with a public address unless the installation allows its network; no user name, password or fragment';
const KINDS_DESCRIPTION = 'The kinds it receives; null: all, including later ones';

export class NewEndpoint {
  @ApiProperty({
    maxLength: MAX_URL,
    example: 'https://hooks.example.com/vigie',
    description: URL_DESCRIPTION,
  })
  @IsString()
  @MaxLength(MAX_URL)
  url: string;

  @ApiPropertyOptional({
    enum: ENDPOINT_FORMATS,
    default: 'standard',
    description: '`standard`: Standard Webhooks, signed; `slack`: a Slack incoming webhook',
  })
  @IsOptional()
  @IsIn(ENDPOINT_FORMATS)
  format?: EndpointFormat = 'standard';

  @ApiPropertyOptional({ enum: WEBHOOK_KINDS, isArray: true, nullable: true, description: KINDS_DESCRIPTION })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(WEBHOOK_KINDS, { each: true })
  kinds?: NotificationKind[] | null;

  @ApiPropertyOptional({ type: String, maxLength: 500, nullable: true, example: 'Astreinte' })
  @IsOptional()
  @Line(500)
  description?: string | null;
}

/** Omitted fields stay as they are. */
export class EndpointPatch {
  @ApiPropertyOptional({
    maxLength: MAX_URL,
    example: 'https://hooks.example.com/vigie',
    description: URL_DESCRIPTION,
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_URL)
  url?: string;

  @ApiPropertyOptional({ enum: WEBHOOK_KINDS, isArray: true, nullable: true, description: KINDS_DESCRIPTION })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(WEBHOOK_KINDS, { each: true })
  kinds?: NotificationKind[] | null;

  @ApiPropertyOptional({ type: String, maxLength: 500, nullable: true })
  @IsOptional()
  @Line(500)
  description?: string | null;

  @ApiPropertyOptional({
    description: 'false: it receives nothing until it is enabled; `replay` sends what it missed',
  })
  @IsOptional()
  @IsBoolean()
  enabled?: boolean;
}

/** A webhook endpoint, and its health. */
export class EndpointView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ description: 'Without path and query, which may hold a secret' })
  url: string;

  @ApiProperty({ enum: ENDPOINT_FORMATS })
  format: EndpointFormat;

  @ApiProperty({ type: [String], nullable: true, description: KINDS_DESCRIPTION })
  kinds: string[] | null;

  @ApiProperty({ type: String, nullable: true })
  description: string | null;

  @ApiProperty({ enum: ENDPOINT_STATES })
  state: EndpointState;

  @ApiProperty({
    enum: DISABLE_REASONS,
    nullable: true,
    description: 'Why it is disabled: `admin`, `gone` (410) or `failing` (five days without a success)',
  })
  state_reason: DisableReason | null;

  @ApiProperty()
  state_since: Date;

  @ApiProperty({ type: Date, nullable: true, description: 'The first failure since the last success' })
  failing_since: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  last_success_at: Date | null;

  @ApiProperty({ type: String, nullable: true })
  last_error: string | null;

  @ApiProperty({ type: Date, nullable: true, description: 'Until then the previous secret signs calls too' })
  previous_secret_until: Date | null;

  @ApiProperty()
  created_at: Date;
}

/** An endpoint with its secret, which is shown only now. */
export class EndpointWithSecret extends EndpointView {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=',
    description: 'Verifies the signatures; only this answer contains it. Null for Slack',
  })
  secret: string | null;
}

/** The result of one call. */
export class AttemptView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The `webhook-id`; null for a test',
  })
  delivery_id: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Which attempt it was, from 1; null for a test',
  })
  attempt: number | null;

  @ApiProperty()
  delivered: boolean;

  @ApiProperty({ type: 'integer', nullable: true, description: 'HTTP status; null without an answer' })
  status: number | null;

  @ApiProperty({ type: 'integer' })
  duration_ms: number;

  @ApiProperty({ enum: CALL_FAULTS, nullable: true, description: 'Why there was no answer' })
  fault: CallFault | null;

  @ApiProperty({ type: String, nullable: true })
  error: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The first 500 characters of the answer' })
  answer: string | null;

  @ApiProperty()
  at: Date;
}

/** The result of a test call. */
export class TestView extends OmitType(AttemptView, ['id', 'delivery_id', 'attempt']) {}

export class Replay {
  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    nullable: true,
    example: '2026-03-30T02:10:00Z',
    description: 'Only what was announced since then; omitted: everything that was not delivered',
  })
  @IsOptional()
  @Instant()
  since?: string | null;
}

export class ReplayView {
  @ApiProperty({
    type: 'integer',
    description: 'Calls that failed, or that a disabled endpoint missed: queued again',
  })
  replayed: number;

  @ApiProperty({ description: 'There are more: repeat the request' })
  more: boolean;
}
