import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import { Instant } from '../../platform/http/instant.js';
import { ACTOR_KINDS, type AuditRow } from '../../platform/audit/audit-log.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { Line } from '../../platform/http/text.js';

/** Filters acts; by default all. */
export class AuditFilter extends PageQuery {
  @ApiPropertyOptional({ description: 'Slug of the tenant; operators leave it out for the installation' })
  @IsOptional()
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant?: string;

  @ApiPropertyOptional({
    example: 'user:<id>',
    description: 'user:<id>, key:<id>, operator:<id>, anonymous or cli',
  })
  @IsOptional()
  @IsString()
  @Matches(/^((user|key|operator):[0-9a-f-]{36}|anonymous|cli)$/, {
    message: '$property must be user:, key: or operator: and an id, anonymous, or cli',
  })
  actor?: string;

  @ApiPropertyOptional({ example: 'PATCH /api/v1/users/:id', description: 'Method and route' })
  @IsOptional()
  @IsString()
  @Matches(/^([A-Z]{3,7} \/[\x21-\x7e]{0,199}|vigie [a-z -]{1,100})$/, {
    message: '$property must be a method and a route, or a command of vigie',
  })
  action?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description:
      'Text in the route, the changed fields, the targets, the request id or the address, without regard to case and ' +
      'accents; in the newest 50,000 rows that match the other filters',
  })
  @IsOptional()
  @Line(200)
  q?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'This instant or later' })
  @IsOptional()
  @Instant()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Before this instant' })
  @IsOptional()
  @Instant()
  until?: string;
}

/** One act. */
export class AuditEntry implements AuditRow {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ type: String, format: 'date-time' })
  at: Date;

  @ApiProperty({ description: 'The actor; for a refused sign-in, the account' })
  actor: string;

  @ApiProperty({ enum: ACTOR_KINDS })
  actor_kind: AuditRow['actor_kind'];

  @ApiProperty({ example: 'PATCH /api/v1/users/:id', description: 'Method and route' })
  action: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Parameters of the path',
  })
  targets: Record<string, string>;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Status of the answer. null: still running, or the process ended first',
  })
  status: number | null;

  @ApiProperty({ type: [String], nullable: true, description: 'Names of the fields that were changed' })
  changed: string[] | null;

  @ApiProperty()
  request_id: string;

  @ApiProperty({ type: String, nullable: true, description: "The caller's address; deleted after 90 days" })
  ip: string | null;
}

export class AuditPage {
  @ApiProperty({ type: [AuditEntry] })
  data: AuditEntry[];

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;
}
