import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { EmailAddress, normalisedEmail } from '../platform/http/email-address.js';
import type { LoggedIn } from './sessions/login.service.js';
import type { TokenPair } from './sessions/sessions.js';

/** PostgreSQL stores no NUL, and no address or slug has a control character. */
const plain = Matches(/^[^\p{Cc}\p{Cs}]*$/u, {
  message: '$property must be text without control characters',
});

/**
 * An address for lookups: normalised like stored addresses, and in lower case. Only this code lower-cases: if the
 * database did too, an address that the two lower-case differently would be counted separately.
 */
const ToLookFor = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? normalisedEmail(value).toLowerCase() : value,
  );

/** What may be left out may be null as well: it is the same as nothing. */
const NullIsAbsent = () => Transform(({ value }: { value: unknown }) => value ?? undefined);

/** A token that makes a client known; one that is not good counts as none. */
const DeviceToken = () =>
  applyDecorators(
    ApiPropertyOptional({
      maxLength: 500,
      description:
        'The device_token of an earlier login: failed logins of other clients then neither delay nor lock this one',
    }),
    NullIsAbsent(),
    IsOptional(),
    IsString(),
    MaxLength(500),
  );

export class LoginForm {
  @ApiProperty({ maxLength: 254 })
  @ToLookFor()
  @IsString()
  @MaxLength(254)
  @plain
  email: string;

  @ApiProperty({ maxLength: 200, format: 'password' })
  @IsString()
  @MaxLength(200)
  password: string;

  @ApiPropertyOptional({ type: String, maxLength: 63, description: "The tenant's slug; operators have none" })
  @NullIsAbsent()
  @IsOptional()
  @IsString()
  @MaxLength(63)
  @plain
  tenant?: string;

  @DeviceToken()
  device_token?: string;
}

export class FirstOperator {
  @ApiProperty({ maxLength: 200, description: 'The token that the server logs at startup' })
  @IsString()
  @MaxLength(200)
  token: string;

  @ApiProperty({ maxLength: 254, format: 'email' })
  @EmailAddress()
  @MaxLength(254)
  email: string;

  @ApiProperty({ minLength: 12, maxLength: 200, format: 'password' })
  @IsString()
  @MinLength(12)
  @MaxLength(200)
  password: string;
}

export class RefreshForm {
  @ApiProperty()
  @IsString()
  @MaxLength(500)
  refresh_token: string;
}

export class NewPassword {
  @ApiProperty({ description: 'The token of the link in the mail' })
  @IsString()
  @MaxLength(500)
  token: string;

  @ApiProperty({ minLength: 12, maxLength: 200, format: 'password' })
  @IsString()
  @MinLength(12)
  @MaxLength(200)
  password: string;
}

export class PasswordChange {
  @ApiProperty({ maxLength: 200, format: 'password' })
  @IsString()
  @MaxLength(200)
  current_password: string;

  @ApiProperty({ minLength: 12, maxLength: 200, format: 'password' })
  @IsString()
  @MinLength(12)
  @MaxLength(200)
  new_password: string;
}

export class PasswordResetForm {
  @ApiProperty({ maxLength: 254 })
  @ToLookFor()
  @IsString()
  @MaxLength(254)
  @plain
  email: string;

  @ApiProperty({ maxLength: 63, description: "The tenant's slug" })
  @IsString()
  @MaxLength(63)
  @plain
  tenant: string;

  @DeviceToken()
  device_token?: string;
}

/** The response to a refresh, for the OpenAPI document. */
export class TokenPairView implements TokenPair {
  @ApiProperty({ description: 'JWT: Authorization: Bearer <access_token>' })
  access_token: string;

  @ApiProperty({ enum: ['Bearer'] })
  token_type: 'Bearer';

  @ApiProperty({ description: 'Lifetime of the access token, in seconds' })
  expires_in: number;

  @ApiProperty({ description: 'Valid for one refresh, which returns the next one' })
  refresh_token: string;
}

/** The response to a login, for the OpenAPI document. */
export class LoginView extends TokenPairView implements LoggedIn {
  @ApiProperty({
    description: 'Send it with the next login from this device; it grants no access',
  })
  device_token: string;
}
