import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, ValidateIf } from 'class-validator';
import { LOCALES, type Locale } from '../contracts/locales.js';
import { Line } from '../platform/http/text.js';
import { CountedPageQuery, Flag, Sort } from '../platform/lists/list-query.js';
import { TENANT_KINDS, type TenantKind } from '../tenants/tenant-kinds.js';
import { TimeZone } from '../tenants/time-zone.js';
import { EmailAddress } from '../platform/http/email-address.js';
import { PhoneNumber } from './phone-number.js';
import { User, USER_ROLES, type UserRole } from './user.entity.js';
import { USER_ORDERS } from './users.sql.js';

/** An absent field is not checked; null is refused. */
const given = (_body: unknown, value: unknown) => value !== undefined;

/** Contact data of a person; null clears. */
class Contact {
  @ApiPropertyOptional({ type: String, nullable: true, example: '+33612345678' })
  @IsOptional()
  @PhoneNumber()
  phone?: string | null;

  @ApiPropertyOptional({ enum: LOCALES, nullable: true, description: "null: the tenant's" })
  @IsOptional()
  @IsIn(LOCALES)
  locale?: Locale | null;

  @ApiPropertyOptional({ type: String, nullable: true, description: "null: the tenant's" })
  @IsOptional()
  @TimeZone()
  time_zone?: string | null;
}

/** A user to create. It has no password: the link in the welcome mail sets one. */
export class NewUser extends Contact {
  @ApiProperty({ maxLength: 254 })
  @EmailAddress()
  email: string;

  @ApiProperty({ maxLength: 200 })
  @Line(200)
  name: string;

  @ApiPropertyOptional({ enum: USER_ROLES, default: 'member' })
  @ValidateIf(given)
  @IsIn(USER_ROLES)
  role?: UserRole;

  @ApiPropertyOptional({
    default: true,
    description: 'false: no welcome mail; share the link of POST users/{id}/password-link instead',
  })
  @ValidateIf(given)
  @IsBoolean()
  welcome?: boolean;
}

/** An admin's changes to a user; an absent field stays unchanged. */
export class UserPatch extends Contact {
  @ApiPropertyOptional({ maxLength: 254 })
  @ValidateIf(given)
  @EmailAddress()
  email?: string;

  @ApiPropertyOptional({ maxLength: 200 })
  @ValidateIf(given)
  @Line(200)
  name?: string;

  @ApiPropertyOptional({ enum: USER_ROLES })
  @ValidateIf(given)
  @IsIn(USER_ROLES)
  role?: UserRole;
}

/** A user's changes to themselves; an absent field stays unchanged. */
export class MePatch extends Contact {
  @ApiPropertyOptional({ maxLength: 200 })
  @ValidateIf(given)
  @Line(200)
  name?: string;
}

export class UserQuery extends CountedPageQuery {
  @Sort(USER_ORDERS)
  sort?: string;

  @ApiPropertyOptional({ enum: USER_ROLES })
  @IsOptional()
  @IsIn(USER_ROLES)
  role?: UserRole;

  @Flag('true: users who have chosen a password; false: those who were only invited')
  active?: boolean;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'Part of the name or of the address, without regard to case and accents',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}

/** A user as admins see them. */
export class ListedUser extends User {
  @ApiProperty({ description: 'Whether the user has chosen a password, and so can sign in' })
  active: boolean;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    description: 'Messages to this user wait until this day; null: no pause',
  })
  paused_until: string | null;
}

/** The name of a colleague: all that members see of each other. */
export class UserName {
  @ApiProperty({ type: String, format: 'uuid' })
  id: string;

  @ApiProperty({ type: String })
  name: string;
}

/** Names, in alphabetical order. */
export class UserNameQuery extends CountedPageQuery {
  @ApiPropertyOptional({
    maxLength: 200,
    description: 'Part of the name, without regard to case and accents',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}

/** The tenant of a signed-in user. */
export class OwnTenant {
  @ApiProperty({ type: String, format: 'uuid' })
  id: string;

  @ApiProperty()
  slug: string;

  @ApiProperty()
  name: string;

  @ApiProperty({ enum: TENANT_KINDS })
  kind: TenantKind;

  @ApiProperty()
  time_zone: string;

  @ApiProperty({ enum: LOCALES })
  locale: Locale;
}

/** A signed-in user, with the tenant whose values replace nulls. */
export class Me extends User {
  @ApiProperty({ type: OwnTenant })
  tenant: OwnTenant;
}
