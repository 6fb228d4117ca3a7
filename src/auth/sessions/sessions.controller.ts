import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, Signed, type SignedIn, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { OpenSessions, type OpenSession } from './open-sessions.js';

/** A valid session. */
export class SessionView implements OpenSession {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time', description: 'Time of the login or the last refresh' })
  last_used_at: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'Time of expiry, unless it is refreshed before',
  })
  expires_at: Date;

  @ApiProperty({ type: String, nullable: true, description: 'User-Agent of the client' })
  user_agent: string | null;

  @ApiProperty({ description: 'true: the session of this request' })
  current: boolean;
}

/** People list and end their own sessions; admins end those of a user. */
@Controller()
export class SessionsController {
  constructor(private readonly sessions: OpenSessions) {}

  @Get('me/sessions')
  @ApiTags('me')
  @Access('person')
  @ApiOperation({ summary: 'Your open sessions, newest first' })
  @ApiPage(SessionView)
  list(@Signed() signedIn: SignedIn, @Query() query: PageQuery): Promise<Page<OpenSession>> {
    return this.sessions.list(signedIn, query);
  }

  @Delete('me/sessions')
  @ApiTags('me')
  @HttpCode(204)
  @Access('person')
  @ApiOperation({ summary: 'End all your other sessions' })
  @ApiNoContentResponse()
  endOthers(@Signed() signedIn: SignedIn): Promise<void> {
    return this.sessions.endOthers(signedIn);
  }

  @Delete('me/sessions/:id')
  @ApiTags('me')
  @HttpCode(204)
  @Access('person')
  @ApiOperation({ summary: 'End one of your sessions, including this one' })
  @ApiNoContentResponse()
  end(@Signed() signedIn: SignedIn, @IdParam() id: string): Promise<void> {
    return this.sessions.end(signedIn, id);
  }

  @Delete('users/:id/sessions')
  @HttpCode(204)
  @Access('admin', 'users:write')
  @ApiTags('users')
  @ApiOperation({ summary: 'End all sessions of a user' })
  @ApiNoContentResponse()
  endOfUser(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.sessions.endOfUser(caller, id);
  }
}
