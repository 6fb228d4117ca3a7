import { Controller, HttpCode, HttpStatus, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { DisconnectSignal } from './disconnect-signal.js';
import { DispatchAnswer, TriggerQuery } from '../admin.dto.js';
import { Triggers } from './triggers.service.js';

/** Processes pending deliveries now. */
@Controller('admin/process')
export class AdminProcessController {
  constructor(private readonly triggers: Triggers) {}

  @Post()
  @Access('admin_or_operator', 'admin')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Process pending deliveries now',
    description:
      'Starts a round of the dispatcher at once; hours, limits and turns apply. For the own tenant; ' +
      'operators name one with `tenant`, or omit it for all. Same as triggering `dispatch`.',
  })
  @ApiAcceptedResponse({ description: 'Not finished yet', type: DispatchAnswer })
  @ApiOkResponse({ description: 'With `wait`: none is waiting any more', type: DispatchAnswer })
  async process(
    @AdminOrOperator() caller: AnyCaller,
    @Query() query: TriggerQuery,
    @DisconnectSignal() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DispatchAnswer> {
    const { finished, answer } = await this.triggers.process(caller, {
      tenant: query.tenant,
      wait: query.wait,
      signal,
    });
    if (finished) reply.status(HttpStatus.OK);
    return answer;
  }
}
