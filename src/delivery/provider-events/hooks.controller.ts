import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { notFound, Problem } from '../../platform/errors/problem.js';
import { addressOf } from '../../platform/http/addresses.js';
import { BODY_LIMIT, readBytes } from '../../platform/http/bodies.js';
import { ReadsBody } from '../../platform/http/body-guard.js';
import { Access } from '../../platform/http/caller.js';
import { CountsRequests, RequestLimits } from '../../platform/http/request-limits.js';
import type { Hook } from './hook-providers.js';
import { Hooks } from './hooks.service.js';
import { EVENT_PROVIDERS, type EventProviderName, ForgedEvent } from './provider-event.js';

/** Twilio would send a text in the response as a reply; this response sends none. */
const NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/**
 * `/hooks/{provider}/{token}`, outside the API: called by providers. Invalid requests count against the rate
 * limit of their address; valid ones do not, because a provider may not repeat a refused request.
 */
@ApiTags('hooks')
@Controller('hooks')
@Access('public')
export class HooksController {
  constructor(
    private readonly hooks: Hooks,
    private readonly limits: RequestLimits,
  ) {}

  @Post(':provider/:token')
  @HttpCode(200)
  @CountsRequests()
  @ReadsBody()
  @ApiOperation({
    summary: 'Receive events of a provider: bounces, complaints, STOP, receipts',
    description:
      "Verified by the provider's own signature. A repeated event changes nothing. docs/provider-events.md describes each provider's setup, and the format of `generic`.",
  })
  @ApiParam({ name: 'provider', enum: EVENT_PROVIDERS })
  @ApiParam({ name: 'token', schema: { type: 'string' } })
  @ApiConsumes('application/json', 'application/x-www-form-urlencoded', 'text/plain')
  @ApiOkResponse({
    description: 'Received, whether or not the message is known; Twilio gets an empty TwiML answer',
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: { received: { type: 'boolean', enum: [true] } },
          required: ['received'],
        },
      },
      'text/xml': { schema: { type: 'string' } },
    },
  })
  async take(
    @Param('provider') name: string,
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | string> {
    const hook = this.hooks.at(name, token);
    if (hook === null) {
      this.count(request, reply);
      throw notFound();
    }
    const provider = name as EventProviderName;
    try {
      const body = await bodyOf(request, hook);
      const query = /\?.*$/.exec(request.url)?.[0] ?? '';
      await this.hooks.take(provider, hook, { headers: request.headers, query, body });
    } catch (error) {
      if (error instanceof ForgedEvent || (error instanceof Problem && error.status < 500))
        this.count(request, reply);
      // Only the log says which check failed.
      if (error instanceof ForgedEvent) throw new Problem('forbidden', 'this is not signed by the provider');
      throw error;
    }
    if (provider !== 'twilio') return { received: true };
    reply.type('text/xml; charset=utf-8');
    return NO_REPLY;
  }

  /** @throws Problem rate_limited */
  private count(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers(this.limits.countAddress(addressOf(request)) ?? {});
  }
}

/** @throws Problem unsupported_media_type, payload_too_large, malformed_request */
async function bodyOf(request: FastifyRequest, { provider: { types } }: Hook): Promise<Buffer> {
  const type = (request.headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase();
  if (!types.includes(type)) throw new Problem('unsupported_media_type', `send ${types.join(' or ')}`);
  return readBytes(request, BODY_LIMIT);
}
