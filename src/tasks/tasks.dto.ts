import { ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { DueItemQuery, NewDueItem } from '../due-items/due-item.dto.js';
import { TASK_STATUSES } from './task.entity.js';

export class NewTask extends NewDueItem {}

/** An absent field stays unchanged; null clears an optional one. */
export class TaskPatch extends PartialType(NewTask, { skipNullProperties: false }) {}

export class TaskQuery extends DueItemQuery {
  @ApiPropertyOptional({ enum: TASK_STATUSES })
  @IsOptional()
  @IsIn(TASK_STATUSES)
  status?: string;
}
