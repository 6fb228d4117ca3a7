import { Body, Controller, HttpStatus, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { EventAlert, NewEvent } from './events.dto.js';
import { Events } from './events.service.js';

/** Reports of other programs. */
@ApiTags('alerts')
@Controller('events')
export class EventsController {
  constructor(
    private readonly events: Events,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('admin', 'events:write')
  @ApiOperation({
    summary: 'Report an important event',
    description:
      'Opens an alert and notifies people once. Repeating the same `dedupe_key` counts an occurrence and notifies ' +
      'nobody until the alert is resolved; the next report then opens a new one.',
  })
  @ApiCreatedResponse({ type: EventAlert, description: 'The alert was opened' })
  @ApiOkResponse({ type: EventAlert, description: 'The alert was already open: one more occurrence' })
  async report(
    @Caller() caller: TenantCaller,
    @Body() event: NewEvent,
    @Creating() request: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventAlert> {
    const alert = await this.idempotency.create(caller, request, (tx) =>
      this.events.report(tx, event, caller.principal),
    );
    reply.status(alert.opened ? HttpStatus.CREATED : HttpStatus.OK);
    return alert;
  }
}
