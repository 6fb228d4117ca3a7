import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';
import { LOCALES, type Locale } from '../contracts/locales.js';
import { Line } from '../platform/http/text.js';
import { TENANT_KINDS, type TenantKind } from './tenant-kinds.js';
import { TenantSettings } from './settings/tenant-settings.js';
import { Tenant } from './tenant.entity.js';
import { TimeZone } from './time-zone.js';

/** An absent field is not checked; null is refused. */
const given = (_body: unknown, value: unknown) => value !== undefined;

/** A tenant to create. */
export class NewTenant {
  @ApiProperty({
    example: 'cabinet-martin',
    description: '1 to 63 lower-case letters, digits and hyphens, no hyphen at either end',
  })
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    message: '$property must be 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end',
  })
  slug: string;

  @ApiProperty({ maxLength: 200 })
  @Line(200)
  name: string;

  @ApiProperty({ enum: TENANT_KINDS })
  @IsIn(TENANT_KINDS)
  kind: TenantKind;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'Europe/Paris', default: 'Europe/Paris' })
  @IsOptional()
  @TimeZone()
  time_zone?: string | null;

  @ApiPropertyOptional({ enum: LOCALES, default: 'fr' })
  @IsOptional()
  @IsIn(LOCALES)
  locale?: Locale | null;
}

const MAX_LIMIT = 1_000_000;

/** An operator's changes to a tenant; an absent field stays unchanged. */
export class TenantPatch {
  @ApiPropertyOptional({ maxLength: 200 })
  @ValidateIf(given)
  @Line(200)
  name?: string;

  @ApiPropertyOptional({ enum: TENANT_KINDS })
  @ValidateIf(given)
  @IsIn(TENANT_KINDS)
  kind?: TenantKind;

  @ApiPropertyOptional({ example: 'Europe/Paris' })
  @ValidateIf(given)
  @TimeZone()
  time_zone?: string;

  @ApiPropertyOptional({ enum: LOCALES })
  @ValidateIf(given)
  @IsIn(LOCALES)
  locale?: Locale;

  @ApiPropertyOptional({
    description: 'true: its users and keys are refused and nothing is checked or sent; false: it is active',
  })
  @ValidateIf(given)
  @IsBoolean()
  suspended?: boolean;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    description: 'Messages per channel and hour; null: LIMIT_PER_TENANT_PER_HOUR. 0: no limit',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  limit_per_hour?: number | null;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    description: 'Messages per channel and 24 hours; null: LIMIT_PER_TENANT_PER_DAY. 0: no limit',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  limit_per_day?: number | null;
}

/**
 * All settings of a tenant, including name, locale and zone. PUT replaces them as a whole: an omitted part returns to
 * its default, so change what GET returned and send it back.
 */
export class TenantSettingsDocument extends TenantSettings {
  @ApiProperty({ maxLength: 200 })
  @Line(200)
  name: string;

  @ApiProperty({ enum: LOCALES })
  @IsIn(LOCALES)
  locale: Locale;

  @ApiProperty({ example: 'Europe/Paris' })
  @TimeZone()
  time_zone: string;
}

/** A tenant as its operators see it. */
export class TenantView extends Tenant {}
