import { Body, Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  LoginForm,
  LoginView,
  NewPassword,
  PasswordChange,
  PasswordResetForm,
  RefreshForm,
  TokenPairView,
} from './auth.dto.js';
import type { FastifyRequest } from 'fastify';
import { traceOf } from '../platform/audit/act.js';
import { addressOf } from '../platform/http/addresses.js';
import { Access, Signed, type SignedIn } from '../platform/http/caller.js';
import { type LoggedIn, LoginService } from './sessions/login.service.js';
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
  @ApiOkResponse({ type: LoginView })
  login(@Body() form: LoginForm, @Req() request: FastifyRequest): Promise<LoggedIn> {
    return this.logins.login(form, traceOf(request), request.headers['user-agent']);
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
  @ApiNoContentResponse({ description: 'The session and its access token have ended' })
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
  changePassword(
    @Signed() signedIn: SignedIn,
    @Body() body: PasswordChange,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    return this.passwords.change(signedIn, body, addressOf(request));
  }

  @Post('password-reset')
  @HttpCode(202)
  @Access('public')
  requestPasswordReset(@Body() form: PasswordResetForm, @Req() request: FastifyRequest): Promise<void> {
    return this.logins.requestPasswordReset(form, addressOf(request));
  }
}
