import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiPage } from '../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import type { Page } from '../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { ProcessReminders } from './process-reminders.js';
import { ProcessedReminders, Reminder, ReminderFields } from './reminders.dto.js';
import { Reminders } from './reminders.service.js';

const WHOSE = 'Members only see and change their own; admins and API keys those of every user of the tenant.';

/** The reminders of one user. */
@ApiTags('reminders')
@Controller('users/:id/reminders')
export class UserRemindersController {
  constructor(
    private readonly reminders: Reminders,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('member', 'watched:write')
  @ApiOperation({ summary: 'Add a reminder of a user', description: WHOSE })
  @ApiCreatedResponse({ type: Reminder })
  create(
    @Caller() caller: TenantCaller,
    @IdParam() userId: string,
    @Creating() request: CreatingRequest,
    @Body() body: ReminderFields,
  ): Promise<Reminder> {
    return this.idempotency.create(caller, request, (tx) => this.reminders.create(tx, caller, userId, body));
  }

  @Get()
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'The reminders of a user, the oldest first', description: WHOSE })
  @ApiPage(Reminder)
  list(
    @Caller() caller: TenantCaller,
    @IdParam() userId: string,
    @Query() query: PageQuery,
  ): Promise<Page<Reminder>> {
    return this.reminders.list(caller, userId, query);
  }
}

/** Single reminders, and the processing of due ones. */
@ApiTags('reminders')
@Controller('reminders')
export class RemindersController {
  constructor(
    private readonly reminders: Reminders,
    private readonly processing: ProcessReminders,
  ) {}

  @Post('process')
  @HttpCode(200)
  @Access('admin', 'notifications:write')
  @ApiOperation({
    summary: 'Send the due reminders of the tenant now',
    description:
      'Same as the job `process-reminders`. Each due reminder is sent once; nothing is sent twice.',
  })
  @ApiOkResponse({ type: ProcessedReminders })
  process(@Caller() caller: TenantCaller): Promise<ProcessedReminders> {
    return this.processing.processNow(caller.tenant_id);
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'A reminder', description: WHOSE })
  @ApiOkResponse({ type: Reminder })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Reminder> {
    return this.reminders.get(caller, id);
  }

  @Patch(':id')
  @Access('member', 'watched:write')
  @ApiOperation({ summary: 'Change, pause or resume a reminder', description: WHOSE })
  @ApiOkResponse({ type: Reminder })
  update(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() body: ReminderFields,
  ): Promise<Reminder> {
    return this.reminders.update(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('member', 'watched:write')
  @ApiOperation({ summary: 'Delete a reminder', description: WHOSE })
  @ApiNoContentResponse()
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.reminders.remove(caller, id);
  }
}
