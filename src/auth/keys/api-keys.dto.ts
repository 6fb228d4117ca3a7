import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Instant } from '../../platform/http/instant.js';
import { type Scope, SCOPES } from '../../contracts/scopes.js';
import { AgentId } from '../../platform/http/agent-id.js';
import { Line } from '../../platform/http/text.js';
import { ApiKey } from './api-key.entity.js';

export class NewApiKey {
  @ApiProperty({ maxLength: 200 })
  @Line(200)
  name: string;

  @ApiProperty({ enum: SCOPES, isArray: true })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes: Scope[];

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    description:
      'The agent that reports with the key; required with the scope `reports:write`, which must be the only scope',
  })
  @IsOptional()
  @AgentId()
  agent_id?: string | null;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'In the future; null: it never expires',
  })
  @IsOptional()
  @Instant()
  expires_at?: string | null;
}

/** The longest grace period of an old secret: 30 days, in hours. */
const MAX_GRACE_HOURS = 30 * 24;

export class KeyRotation {
  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: MAX_GRACE_HOURS,
    default: 24,
    description: 'How long the old secret keeps working; 0: it stops at once',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_GRACE_HOURS)
  grace_hours?: number | null;
}

/** A key with its new secret, which is shown only once. */
export class CreatedApiKey extends ApiKey {
  @ApiProperty({ example: 'vk_<tenant id>_<secret>', description: 'For the header X-API-Key' })
  key: string;
}
