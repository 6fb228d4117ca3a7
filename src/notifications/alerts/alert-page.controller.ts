import { Body, Controller, Get, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TakesForm } from '../../platform/http/body-guard.js';
import { Access } from '../../platform/http/caller.js';
import { LinkPages } from '../../wording/pages/link-pages.js';
import { AlertLinkService, isAlertAction } from './alert-link.service.js';

/**
 * `/alerts/act/{token}`, outside the API: the target of the links in mails about alerts. GET only shows: mail scanners
 * follow every link. POST acts.
 */
@ApiExcludeController()
@Controller('alerts/act')
@Access('public')
export class AlertPageController {
  constructor(
    private readonly links: AlertLinkService,
    private readonly pages: LinkPages,
  ) {}

  @Get(':token')
  async page(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.pages.render('alert', request, reply, await this.links.show(token));
  }

  @Post(':token')
  @TakesForm()
  async act(
    @Param('token') token: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const { action } = (body ?? {}) as { action?: unknown };
    if (!isAlertAction(action)) {
      const alert = await this.links.show(token);
      if (alert !== null) reply.status(HttpStatus.BAD_REQUEST);
      return this.pages.render('alert', request, reply, alert);
    }
    if (!(await this.links.act(token, action))) return this.pages.render('alert', request, reply, null);
    // Reloading the page then repeats nothing.
    void reply.redirect(`/alerts/act/${encodeURIComponent(token)}`, HttpStatus.SEE_OTHER);
    return undefined;
  }
}
