import { ApiPropertyOptional, IntersectionType, PartialType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { DueItemFilter, DueItemPageQuery, NewDueItem } from '../due-items/due-item.dto.js';
import { Line } from '../platform/http/text.js';
import { DEADLINE_STATUSES } from './deadline.entity.js';

export class NewDeadline extends NewDueItem {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 50, example: 'tva' })
  @IsOptional()
  @Line(50)
  category?: string | null;
}

/** An absent field stays unchanged; null clears an optional one. */
export class DeadlinePatch extends PartialType(NewDeadline, { skipNullProperties: false }) {}

export class DeadlineFilter extends DueItemFilter {
  @ApiPropertyOptional({ enum: DEADLINE_STATUSES })
  @IsOptional()
  @IsIn(DEADLINE_STATUSES)
  status?: string;

  @ApiPropertyOptional({ maxLength: 50 })
  @IsOptional()
  @Line(50)
  category?: string;
}

export class DeadlineQuery extends IntersectionType(DeadlineFilter, DueItemPageQuery) {}
