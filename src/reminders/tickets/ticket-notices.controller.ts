import { Controller, HttpStatus, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { MessageAnswer } from '../../notifications/messages/messages.dto.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { IdParam } from '../../platform/http/id-param.js';
import { TicketNotices } from './ticket-notices.js';

/** What tickets have besides the routes of every due item. */
@ApiTags('tickets')
@Controller('tickets')
export class TicketNoticesController {
  constructor(
    private readonly notices: TicketNotices,
    private readonly idempotency: Idempotency,
  ) {}

  @Post(':id/notify')
  @Access('member', 'watched:write')
  @ApiOperation({
    summary: 'Notify the owner of a ticket now',
    description:
      'On the channels that the owner has chosen for `reminder` in their preferences; without an owner the ' +
      "tenant's admins are notified. Each call notifies again, except a retry with the same `Idempotency-Key`. " +
      'A settled ticket is a `conflict`.',
  })
  @ApiAcceptedResponse({ type: MessageAnswer, description: 'Some deliveries are still pending' })
  @ApiOkResponse({ type: MessageAnswer, description: 'No delivery is pending' })
  async notify(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Creating() request: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageAnswer> {
    const notifications = await this.idempotency.create(caller, request, (tx) =>
      this.notices.notify(tx, id, caller.principal),
    );
    const waits = notifications.some(({ deliveries }) =>
      deliveries.some(({ status }) => status === 'pending'),
    );
    reply.status(waits ? HttpStatus.ACCEPTED : HttpStatus.OK);
    return { notifications, segments: null };
  }
}
