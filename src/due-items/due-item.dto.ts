import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsUUID } from 'class-validator';
import { CivilDate } from '../platform/http/civil-date.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { Identifier, Line, Text } from '../platform/http/text.js';

/** The fields for creating an item. The limits are the table's. */
export class NewDueItem {
  @ApiProperty({ maxLength: 300 })
  @Line(300)
  title: string;

  @ApiProperty({ format: 'date', example: '2026-04-15', description: "A day in the tenant's zone" })
  @CivilDate()
  due_on: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 200 })
  @IsOptional()
  @Line(200)
  client_name?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 5000 })
  @IsOptional()
  @Text(5000)
  description?: string | null;

  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    nullable: true,
    description: "The user to notify; without one the tenant's admins are notified",
  })
  @IsOptional()
  @IsUUID()
  responsible_id?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 200,
    description: 'Its id in the source system, unique within the tenant',
  })
  @IsOptional()
  @Identifier(200)
  external_id?: string | null;
}

/** Filters for a list of items, soonest first. */
export class DueItemQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'date', description: 'Due earlier than this day' })
  @IsOptional()
  @CivilDate()
  due_before?: string;

  @ApiPropertyOptional({ format: 'date', description: 'Due later than this day' })
  @IsOptional()
  @CivilDate()
  due_after?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  responsible_id?: string;

  @ApiPropertyOptional({ maxLength: 200 })
  @IsOptional()
  @Identifier(200)
  external_id?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'Part of the title or client name, case-insensitive',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}
