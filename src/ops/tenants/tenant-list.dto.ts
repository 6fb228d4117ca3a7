import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { Line } from '../../platform/http/text.js';
import { CountedPageQuery } from '../../platform/lists/list-query.js';
import { TenantView } from '../../tenants/tenants.dto.js';

export const TENANT_STATES = ['active', 'suspended'] as const;
export const TENANT_SORTS = ['-created_at', 'created_at', 'name', '-name'] as const;

/** Filters tenants; by default all, newest first. */
export class TenantListQuery extends CountedPageQuery {
  @ApiPropertyOptional({ maxLength: 200, description: 'Part of the name or the slug' })
  @IsOptional()
  @Line(200)
  q?: string;

  @ApiPropertyOptional({ enum: TENANT_STATES })
  @IsOptional()
  @IsIn(TENANT_STATES)
  state?: (typeof TENANT_STATES)[number];

  @ApiPropertyOptional({ enum: TENANT_SORTS, default: '-created_at', description: 'With a minus: reversed' })
  @IsOptional()
  @IsIn(TENANT_SORTS)
  sort?: (typeof TENANT_SORTS)[number];
}

/** A tenant in the operators' list, with what it has and does; counts stop at 100,000. */
export class TenantInList extends TenantView {
  @ApiProperty({ description: 'Its users' })
  users: number;

  @ApiProperty({ description: 'Deliveries that wait for their turn or their time' })
  pending: number;

  @ApiProperty({ description: 'Deliveries sent in the last 24 hours' })
  sent_24h: number;

  @ApiProperty({ description: 'Deliveries that failed in the last 24 hours' })
  failed_24h: number;
}
