import { Body, Controller, Delete, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { traceOf } from '../../platform/audit/act.js';
import { Problem } from '../../platform/errors/problem.js';
import { Access, type AnyCaller, Signed, type SignedIn } from '../../platform/http/caller.js';
import { isSameOrigin } from '../../platform/http/same-origin.js';
import { LoginForm } from '../auth.dto.js';
import { ConsoleSessions } from './console-sessions.js';
import { LoginService } from './login.service.js';

/** Who is signed in. */
export class SessionOwner {
  @ApiProperty({ enum: ['user', 'operator'] })
  kind: 'user' | 'operator';

  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: ['member', 'admin', 'operator'] })
  role: 'member' | 'admin' | 'operator';

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'Null: an operator' })
  tenant_id: string | null;
}

/**
 * Sign-in of the console: the session is a cookie that only pages of this server can use. Programs, and pages of other
 * origins, use `auth/login`.
 */
@ApiTags('auth')
@Controller('auth/session')
export class ConsoleSessionController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: ConsoleSessions,
  ) {}

  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Access('public')
  @ApiOperation({
    summary: 'Sign in with a cookie, from a page of this server',
    description: 'HttpOnly, SameSite=Strict. Without a tenant an operator signs in, for 8 hours.',
  })
  @ApiOkResponse({ type: SessionOwner })
  async signIn(
    @Body() form: LoginForm,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionOwner> {
    requireSameOrigin(request);
    const { caller, cookies } = await this.logins.signIn(form, traceOf(request), request.headers);
    void reply.header('set-cookie', cookies);
    return ownerOf(caller);
  }

  @Get()
  @Access('person')
  @ApiOperation({ summary: 'Who is signed in' })
  @ApiOkResponse({ type: SessionOwner })
  get(@Signed() { caller }: SignedIn): SessionOwner {
    return ownerOf(caller);
  }

  @Delete()
  @HttpCode(204)
  @Access('public')
  @ApiOperation({ summary: 'Sign out: end the session of the cookie, and its sockets' })
  @ApiNoContentResponse({ description: 'Also without a session, or with one that has ended' })
  async signOut(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    requireSameOrigin(request);
    void reply.header('set-cookie', await this.sessions.end(request.headers.cookie));
  }
}

function requireSameOrigin(request: FastifyRequest): void {
  if (!isSameOrigin(request)) throw new Problem('cross_origin');
}

function ownerOf(caller: AnyCaller): SessionOwner {
  if (caller.kind === 'operator')
    return { kind: 'operator', id: caller.operator_id, role: 'operator', tenant_id: null };
  if (caller.user_id === null) throw new Error('the caller is not a person');
  return { kind: 'user', id: caller.user_id, role: caller.role, tenant_id: caller.tenant_id };
}
