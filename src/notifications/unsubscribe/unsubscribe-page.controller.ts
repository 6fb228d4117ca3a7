import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TakesForm } from '../../platform/http/body-guard.js';
import { Access } from '../../platform/http/caller.js';
import { LinkPages } from '../../wording/pages/link-pages.js';
import { Unsubscribing } from './unsubscribe.service.js';

const PAGE = 'unsubscribe';
/** The field and value that a mail program posts (RFC 8058). */
const ONE_CLICK = { field: 'List-Unsubscribe', value: 'One-Click' };

/**
 * `/unsubscribe/{token}`, outside the API: the target of `List-Unsubscribe` and of the link in a mail's footer. GET only
 * shows: mail scanners follow every link. POST acts.
 */
@ApiExcludeController()
@Controller('unsubscribe')
@Access('public')
export class UnsubscribePageController {
  constructor(
    private readonly unsubscribing: Unsubscribing,
    private readonly pages: LinkPages,
  ) {}

  @Get(':token')
  async page(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.pages.render(PAGE, request, reply, await this.unsubscribing.show(token));
  }

  @Post(':token')
  @HttpCode(HttpStatus.OK)
  @TakesForm()
  async act(
    @Param('token') token: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const form = (body ?? {}) as Record<string, unknown>;
    if (form[ONE_CLICK.field] === ONE_CLICK.value) {
      // Answered without a redirect: RFC 8058 forbids one.
      return this.pages.render(PAGE, request, reply, await this.unsubscribing.turn(token, null, false));
    }
    const { action, kind } = form;
    const kinds = [kind].flat().filter((each) => typeof each === 'string');
    if ((action !== 'stop' && action !== 'resume') || kinds.length === 0) {
      const shown = await this.unsubscribing.show(token);
      if (shown !== null) reply.status(HttpStatus.BAD_REQUEST);
      return this.pages.render(PAGE, request, reply, shown);
    }
    const done = await this.unsubscribing.turn(token, kinds, action === 'resume');
    if (done === null) return this.pages.render(PAGE, request, reply, null);
    // Reloading the page then repeats nothing.
    void reply.redirect(`/unsubscribe/${encodeURIComponent(token)}`, HttpStatus.SEE_OTHER);
    return undefined;
  }
}
