import { Body, Controller, Get, HttpStatus, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '../../platform/database/database.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { type Message, readMessage, readText } from './message.js';
import { ManualMessage, MessageAnswer, type MessageState, NewMessage } from './messages.dto.js';
import { Messages } from './messages.service.js';
import { SendNow } from './send-now.js';
import { OwnQuota, OwnStatistics, StatusCounts } from '../deliveries/statistics.dto.js';
import { Outbox } from '../../delivery/outbox.js';
import { Statistics } from '../deliveries/statistics.service.js';

const WHO_MAY =
  'Admins and API keys with the scope can write to any address. Members can write only to users of their tenant ' +
  '(`user_ids`), and not as `critical`. ';

/** Messages of people and programs. */
@ApiTags('notifications')
@Controller('notifications')
export class MessagesController {
  constructor(
    private readonly messages: Messages,
    private readonly sendNow: SendNow,
    private readonly outbox: Outbox,
    private readonly statistics: Statistics,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('member', 'notifications:write')
  @ApiOperation({
    summary: 'Send a message to an address, or to users',
    description:
      `${WHO_MAY}The message is queued and sent when hours and limits allow, or at \`send_at\`. With \`send_now\` it ` +
      'is sent during the request; outside hours it still waits, unless it is critical. Over the limit of the ' +
      'caller nothing is created (429). A retry with the same `Idempotency-Key` or `dedupe_key` sends nothing; ' +
      'with `send_now` or `dedupe_key` it returns the current state.',
  })
  @ApiAcceptedResponse({ type: MessageAnswer, description: 'Some deliveries are still pending' })
  @ApiOkResponse({ type: MessageAnswer, description: 'No delivery is pending' })
  async create(
    @Caller() caller: TenantCaller,
    @Body() body: NewMessage,
    @Creating() request: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageAnswer> {
    const message = readMessage(caller, body);
    const notifications =
      body.send_now === true
        ? await this.sendNow.sendNow(caller, message, request)
        : await this.idempotency.create(caller, request, (tx) =>
            this.messages.create(tx, message, caller.principal),
          );
    return this.answer(caller, notifications, message, reply);
  }

  @Post('send')
  @Access('member', 'notifications:write')
  @ApiOperation({
    summary: 'Send a message to one user now',
    description: `${WHO_MAY}Same as \`POST notifications\` with one id in \`user_ids\` and \`send_now\`.`,
  })
  @ApiAcceptedResponse({ type: MessageAnswer, description: 'Some deliveries are still pending' })
  @ApiOkResponse({ type: MessageAnswer, description: 'No delivery is pending' })
  async send(
    @Caller() caller: TenantCaller,
    @Body() body: ManualMessage,
    @Creating() request: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageAnswer> {
    const { channel, user_id, ticket_id = null } = body;
    const to = { user_ids: [user_id.toLowerCase()], pointer: '/user_id' };
    const message = { channel, to, ticket_id, ...readText(body, 'message') };
    return this.answer(caller, await this.sendNow.sendNow(caller, message, request), message, reply);
  }

  @Get('statistics')
  @Access('member', 'notifications:read')
  @ApiOperation({ summary: 'Statistics of what I received and created' })
  @ApiExtraModels(StatusCounts, OwnQuota)
  @ApiOkResponse({ type: OwnStatistics })
  async ownStatistics(@Caller() caller: TenantCaller): Promise<OwnStatistics> {
    return this.database.tenant(caller.tenant_id, (tx) => this.statistics.of(tx, caller));
  }

  private async answer(
    caller: TenantCaller,
    notifications: MessageState[],
    message: Message,
    reply: FastifyReply,
  ): Promise<MessageAnswer> {
    const waits = notifications.some(({ deliveries }) =>
      deliveries.some(({ status }) => status === 'pending'),
    );
    reply.status(waits ? HttpStatus.ACCEPTED : HttpStatus.OK);
    return { notifications, segments: await this.segmentsOf(caller, message) };
  }

  /** The most that a recipient's language takes. */
  private async segmentsOf({ tenant_id }: TenantCaller, message: Message): Promise<number | null> {
    const { channel } = message;
    if (this.outbox.segments(channel, '') === null) return null;
    const texts = await this.messages.texts(this.database.single(tenant_id), message);
    const segments = texts.map((text) => this.outbox.segments(channel, text) ?? 0);
    return segments.length === 0 ? null : Math.max(...segments);
  }
}
