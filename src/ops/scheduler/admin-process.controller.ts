import { Controller, HttpCode, HttpStatus, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
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
    summary: 'Process what is pending now',
    description:
      'Asks the dispatcher for a round at once; hours, limits and turns apply. For the own tenant; ' +
      'operators name one with `tenant`, or mean all. The same as triggering `dispatch`.',
  })
  @ApiAcceptedResponse({ description: 'Not finished yet', type: DispatchAnswer })
  @ApiOkResponse({ description: 'With `wait`: nothing of it is waiting any more', type: DispatchAnswer })
  async process(
    @AdminOrOperator() caller: AnyCaller,
    @Query() query: TriggerQuery,
    @Req() { signal }: FastifyRequest,
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
