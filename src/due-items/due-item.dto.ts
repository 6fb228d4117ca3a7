import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsUUID } from 'class-validator';
import { CivilDate } from '../platform/http/civil-date.js';
import { Identifier, Line, Text } from '../platform/http/text.js';
import { CountedPageQuery, Flag, Sort } from '../platform/lists/list-query.js';
import { DUE_ITEM_ORDERS } from './due-item-list.sql.js';

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

/** Which items a list has, and which ones a bulk act changes. */
export class DueItemFilter {
  @ApiPropertyOptional({ format: 'date', description: 'Due earlier than this day' })
  @IsOptional()
  @CivilDate()
  due_before?: string;

  @ApiPropertyOptional({ format: 'date', description: 'Due later than this day' })
  @IsOptional()
  @CivilDate()
  due_after?: string;

  @Flag('true: items that have not ended; false: items that have')
  open?: boolean;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  responsible_id?: string;

  @Flag('true: items without a responsible user; false: items with one')
  unassigned?: boolean;

  @ApiPropertyOptional({ maxLength: 200, description: 'The exact name of the client' })
  @IsOptional()
  @Line(200)
  client_name?: string;

  @ApiPropertyOptional({ maxLength: 200 })
  @IsOptional()
  @Identifier(200)
  external_id?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'Part of the title or the client name, without regard to case and accents',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}

/** The position of a page of items, and their order. */
export class DueItemPageQuery extends CountedPageQuery {
  @Sort(DUE_ITEM_ORDERS)
  sort?: string;
}

/** A list of items: which ones, in which order. */
export type DueItemQuery = DueItemFilter & DueItemPageQuery;

/** The number of items of one day. */
export class DueDay {
  @ApiProperty({ type: String, format: 'date' })
  due_on: string;

  @ApiProperty({ type: 'integer', description: 'Items that have not ended' })
  open: number;

  @ApiProperty({ type: 'integer', description: 'Items that have' })
  ended: number;
}

/** The days of a month, or of another range. */
export class DueDays {
  @ApiProperty({ type: [DueDay], description: 'Days with items, soonest first; at most 400' })
  data: DueDay[];
}
