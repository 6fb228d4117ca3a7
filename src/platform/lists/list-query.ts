import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional } from 'class-validator';
import { PageQuery } from '../http/page.dto.js';
import { sortNames, type SortOrders } from './sort-orders.js';

/** `true` or `false` in a query, or in JSON. */
export function Flag(description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: Boolean, description }),
    IsOptional(),
    Transform(({ value }: { value: unknown }) =>
      value === 'true' ? true : value === 'false' ? false : value,
    ),
    IsBoolean(),
  );
}

/** The parameter `sort`, one of the list's orders. @param more what else callers should know */
export function Sort(orders: SortOrders, more = ''): PropertyDecorator {
  const names = sortNames(orders);
  return applyDecorators(
    ApiPropertyOptional({ enum: names, default: names[0], description: `With a minus: reversed${more}` }),
    IsOptional(),
    IsIn(names),
  );
}

/** Query parameters of a list that can count its rows. */
export class CountedPageQuery extends PageQuery {
  @Flag('true: the answer has `count`, the number of all rows of this filter')
  count?: boolean;
}

/** The OpenAPI response of a list that can count its rows. */
export function ApiCountedPage(item: Type): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiExtraModels(item),
    ApiOkResponse({
      schema: {
        type: 'object',
        required: ['data', 'next_cursor'],
        properties: {
          data: { type: 'array', items: { $ref: getSchemaPath(item) } },
          next_cursor: { type: 'string', nullable: true },
          count: {
            type: 'integer',
            minimum: 0,
            description: 'Only with `count=true`: the number of all rows of this filter',
          },
        },
      },
    }),
  );
}
