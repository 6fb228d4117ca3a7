import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsISO8601, IsOptional, MaxLength } from 'class-validator';
import { type Scope, SCOPES } from '../contracts/scopes.js';
import { Line } from '../platform/http/text.js';
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
    format: 'date-time',
    nullable: true,
    description: 'In the future; null: it never expires',
  })
  @IsOptional()
  @MaxLength(40)
  @IsISO8601({ strict: true, strictSeparator: true })
  expires_at?: string | null;
}

/** A new key. It is shown this once. */
export class CreatedApiKey extends ApiKey {
  @ApiProperty({ example: 'vk_<tenant id>_<secret>', description: 'For the header X-API-Key' })
  key: string;
}
