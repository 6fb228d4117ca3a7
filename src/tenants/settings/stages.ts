import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsInt, Max, Min } from 'class-validator';

/** A list of stages, in days; `latest` is the largest useful one. */
function Stages(latest: number): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: [Number] }),
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(20),
    ArrayUnique(),
    IsInt({ each: true }),
    Min(-365, { each: true }),
    Max(latest, { each: true }),
  );
}

/** When to notify: days before the due date, 0 on the day, negative after it. */
export class StageSettings {
  @Stages(365)
  deadlines: number[] = [7, 3, 1, 0, -1];

  @Stages(365)
  documents: number[] = [0];

  @Stages(-1)
  tasks: number[] = [-1];
}
