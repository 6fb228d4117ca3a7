import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TakesForm } from '../../platform/http/body-guard.js';
import { Access } from '../../platform/http/caller.js';
import { pageHeaders, preferredLocale } from '../../platform/http/html-page.js';
import { HtmlPages } from '../../wording/pages/html-pages.js';
import { AlertLinkService, isAlertAction, type LinkedAlert } from './alert-link.service.js';

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
    private readonly pages: HtmlPages,
  ) {}

  @Get(':token')
  async page(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.render(request, reply, await this.links.show(token));
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
      return this.render(request, reply, alert);
    }
    if (!(await this.links.act(token, action))) return this.render(request, reply, null);
    // Reloading the page then repeats nothing.
    void reply.redirect(`/alerts/act/${encodeURIComponent(token)}`, HttpStatus.SEE_OTHER);
    return undefined;
  }

  /** @param alert null: a page that says the same of every link that does not work */
  private render(request: FastifyRequest, reply: FastifyReply, alert: LinkedAlert | null): string {
    const nonce = randomBytes(18).toString('base64url');
    // The address is a credential: no referrer.
    reply.headers(pageHeaders(nonce, { 'form-action': "'self'", 'referrer-policy': 'no-referrer' }));
    if (alert !== null) return this.pages.render('alert', alert.locale, nonce, alert);
    reply.status(HttpStatus.NOT_FOUND);
    return this.pages.render('alert', preferredLocale(request.headers['accept-language']), nonce);
  }
}
