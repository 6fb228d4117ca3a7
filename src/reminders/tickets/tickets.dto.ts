import { ApiPropertyOptional, IntersectionType, PartialType } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, Max, Min, ValidateBy } from 'class-validator';
import { DueItemFilter, DueItemPageQuery, NewDueItem } from '../../due-items/due-item.dto.js';
import { Line } from '../../platform/http/text.js';
import { isCurrency } from './currency.js';
import { TICKET_STATUSES } from './ticket.entity.js';

/** The largest amount, in the currency's smallest unit: the largest `integer`. */
export const MAX_AMOUNT = 2_147_483_647;

function Currency(): PropertyDecorator {
  return ValidateBy({
    name: 'currency',
    validator: {
      validate: isCurrency,
      defaultMessage: () => '$property must be a currency of ISO 4217, such as EUR',
    },
  });
}

export class NewTicket extends NewDueItem {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    example: '7512345678',
    description: 'The number on the ticket',
  })
  @IsOptional()
  @Line(100)
  reference?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: MAX_AMOUNT,
    example: 13_500,
    description: "In the currency's smallest unit: 13500 is 135 €",
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_AMOUNT)
  amount_cents?: number | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'EUR', description: 'ISO 4217; null is EUR' })
  @IsOptional()
  @Currency()
  currency?: string | null;
}

/** An absent field stays unchanged; null clears an optional one. */
export class TicketPatch extends PartialType(NewTicket, { skipNullProperties: false }) {}

export class TicketFilter extends DueItemFilter {
  @ApiPropertyOptional({ enum: TICKET_STATUSES })
  @IsOptional()
  @IsIn(TICKET_STATUSES)
  status?: string;

  @ApiPropertyOptional({ maxLength: 100 })
  @IsOptional()
  @Line(100)
  reference?: string;
}

export class TicketQuery extends IntersectionType(TicketFilter, DueItemPageQuery) {}
