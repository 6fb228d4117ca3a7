import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { Type } from 'class-transformer';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import {
  DEAD_LETTER_ACTS,
  type DeadLetterAct,
  type DeadLetterActName,
} from '../../delivery/admin/dead-letter-acts.js';
import type { DeadLetters } from '../../delivery/admin/delivery-outcomes.js';
import { Text } from '../../platform/http/text.js';
import { TenantQuery } from '../admin.dto.js';

const MAX_IDS = 1_000;

/** Which dead letters to list. */
export class DeadLettersQuery extends TenantQuery {
  @ApiPropertyOptional({ minimum: 1, maximum: 30, default: 7, description: 'Days to look back' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(30)
  days: number = 7;
}

export class DeadLettersView implements DeadLetters {
  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'expired',
    description: 'expired: not sent within its maximum age; null: refused, or out of attempts',
  })
  reason: string | null;

  @ApiProperty({ description: 'The answer of the provider, without addresses and ids' })
  cause: string;

  @ApiProperty()
  count: number;

  @ApiProperty({ description: 'How many tenants it concerns' })
  tenants: number;

  @ApiProperty()
  last_at: Date;
}

export class DeadLettersList {
  @ApiProperty()
  since: Date;

  @ApiProperty({
    type: [DeadLettersView],
    description: 'Most frequent first; of the newest 10,000 failures of each channel',
  })
  data: DeadLettersView[];
}

/** Which dead letters: some by their ids, those of a channel, or those with one cause. */
export class DeadLettersChoice {
  @ApiPropertyOptional({ type: [String], format: 'uuid', minItems: 1, maxItems: MAX_IDS })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_IDS)
  @IsUUID(undefined, { each: true })
  ids?: string[];

  @ApiPropertyOptional({ enum: CHANNELS, description: 'Required without `ids`' })
  @IsOptional()
  @IsIn(CHANNELS)
  channel?: Channel;

  @ApiPropertyOptional({
    maxLength: 160,
    description: 'A cause as `GET admin/dead-letters` lists it; absent: every one',
  })
  @IsOptional()
  @IsString()
  @MaxLength(160)
  cause?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'The reason listed with `cause`',
  })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  reason?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 30,
    default: 30,
    description: 'Days to look back',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(30)
  days?: number;
}

export class DeadLettersDiscard extends DeadLettersChoice {
  @ApiProperty({ maxLength: 400, description: 'Why, for the history of each delivery' })
  @Text(400)
  why: string;
}

export class DeadLetterActView implements DeadLetterAct {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: DEAD_LETTER_ACTS })
  act: DeadLetterActName;

  @ApiProperty({ enum: ['running', 'succeeded'] })
  state: 'running' | 'succeeded';

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: all tenants' })
  tenant_id: string | null;

  @ApiProperty({ type: String, enum: CHANNELS, nullable: true })
  channel: Channel | null;

  @ApiProperty({ type: String, nullable: true })
  cause: string | null;

  @ApiProperty({ type: String, nullable: true })
  reason: string | null;

  @ApiProperty({ description: 'Chosen when it began' })
  total: number;

  @ApiProperty({
    description: 'Moved so far; skipped are those without a recipient and with an expired link',
  })
  done: number;

  @ApiProperty({ type: String, nullable: true })
  why: string | null;

  @ApiProperty({ example: 'operator:…' })
  by: string;

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  finished_at: Date | null;
}

export class DeadLetterActList {
  @ApiProperty({ type: [DeadLetterActView] })
  data: DeadLetterActView[];
}
