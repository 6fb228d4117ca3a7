import { ApiPropertyOptional, IntersectionType, PartialType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { DueItemFilter, DueItemPageQuery, NewDueItem } from '../due-items/due-item.dto.js';
import { TASK_STATUSES } from './task.entity.js';

export class NewTask extends NewDueItem {}

/** An absent field stays unchanged; null clears an optional one. */
export class TaskPatch extends PartialType(NewTask, { skipNullProperties: false }) {}

export class TaskFilter extends DueItemFilter {
  @ApiPropertyOptional({ enum: TASK_STATUSES })
  @IsOptional()
  @IsIn(TASK_STATUSES)
  status?: string;
}

export class TaskQuery extends IntersectionType(TaskFilter, DueItemPageQuery) {}
