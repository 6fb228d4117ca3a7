import { Controller, Header, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { IdParam } from '../../platform/http/id-param.js';
import { LoginService } from '../sessions/login.service.js';

/** A link for an admin to hand to its user. */
export class HandedLink {
  @ApiProperty({ description: 'Opens the page where the user chooses a password; works once' })
  url: string;

  @ApiProperty({ format: 'date-time' })
  expires_at: Date;
}

/** For installations without e-mail, and for programs that send their own welcome. */
@ApiTags('users')
@Controller('users/:id/password-link')
export class PasswordLinkController {
  constructor(private readonly login: LoginService) {}

  // No idempotency key: the response is a secret, which must not be stored.
  @Post()
  @Header('cache-control', 'no-store')
  @Access('admin', 'users:write')
  @ApiOperation({
    summary: 'Create a one-time link to set the first password, to share without e-mail',
    description:
      'Only while the user has no password. A user with a password requests a new one at `auth/password-reset`.',
  })
  @ApiCreatedResponse({ type: HandedLink })
  create(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<HandedLink> {
    return this.login.firstPasswordLink(caller, id);
  }
}
