import { Body, Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  LoginForm,
  NewPassword,
  PasswordChange,
  PasswordResetForm,
  RefreshForm,
  TokenPairView,
} from './auth.dto.js';
import type { FastifyRequest } from 'fastify';
import { traceOf } from '../platform/audit/act.js';
import { Access, Signed, type SignedIn } from '../platform/http/caller.js';
import { LoginService } from './sessions/login.service.js';
import { PasswordChanges } from './password/password-changes.js';
import { Sessions, type TokenPair } from './sessions/sessions.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: Sessions,
    private readonly passwords: PasswordChanges,
  ) {}

  @Post('login')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Access('public')
  @ApiOkResponse({ type: TokenPairView })
  login(@Body() form: LoginForm, @Req() request: FastifyRequest): Promise<TokenPair> {
    return this.logins.login(form, traceOf(request));
  }

  @Post('refresh')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Access('public')
  @ApiOkResponse({ type: TokenPairView })
  refresh(@Body() { refresh_token }: RefreshForm): Promise<TokenPair> {
    return this.sessions.refresh(refresh_token);
  }

  @Post('logout')
  @HttpCode(204)
  @Access('public')
  @ApiNoContentResponse({ description: 'The session has ended, its access token too' })
  logout(@Body() { refresh_token }: RefreshForm): Promise<void> {
    return this.sessions.end(refresh_token);
  }

  @Post('password')
  @HttpCode(204)
  @Access('public')
  @ApiNoContentResponse({ description: 'The password is set, and all sessions of the user have ended' })
  setPassword(@Body() form: NewPassword, @Req() request: FastifyRequest): Promise<void> {
    return this.logins.setPassword(form, traceOf(request));
  }

  @Post('password/change')
  @HttpCode(204)
  @Access('person')
  @ApiNoContentResponse({ description: 'The password is changed, and the other sessions have ended' })
  changePassword(@Signed() signedIn: SignedIn, @Body() body: PasswordChange): Promise<void> {
    return this.passwords.change(signedIn, body);
  }

  @Post('password-reset')
  @HttpCode(202)
  @Access('public')
  requestPasswordReset(@Body() form: PasswordResetForm): Promise<void> {
    return this.logins.requestPasswordReset(form);
  }
}
